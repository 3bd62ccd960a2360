import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { compileText, header } from './compile-text.ts';

describe('what is read', () => {
  it.each<[string, string, Record<string, string>]>([
    ['strings that continue on the next line', 'msgid "a"\n"b"\nmsgstr ""\n"c" "d"\n', { ab: 'cd' }],
    ['several keywords on one line', 'msgid"a"msgstr"b"', { a: 'b' }],
    ['CRLF line ends', '# c\r\nmsgid "a"\r\nmsgstr "b"\r\n', { a: 'b' }],
    ['no newline at the end', 'msgid "a"\nmsgstr "b"', { a: 'b' }],
    [
      'octal and hexadecimal bytes that make up a character',
      'msgid "a"\nmsgstr "\\303\\251\\xc3\\xa9"',
      { a: 'éé' },
    ],
    ['a context', 'msgctxt "menu"\nmsgid "a"\nmsgstr "b"', { 'menu\x04a': 'b' }],
    [
      'an empty context, which is not the same as none',
      'msgctxt ""\nmsgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"',
      { '\x04a': 'b', a: 'c' },
    ],
    ['plural forms', 'msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"\nmsgstr[ 01 ] "d"', { 'a\0b': 'c\0d' }],
    [
      'the old texts of an entry',
      '#| msgctxt "k"\n#| msgid "old"\n#| "er"\n#| msgid_plural "olds"\nmsgid "a"\nmsgstr "b"',
      { a: 'b' },
    ],
    [
      'obsolete entries, which are left out',
      '#~| msgid "o"\n#~ msgid "x"\n#~ msgstr "y"\n\nmsgid "a"\nmsgstr "b"\n',
      { a: 'b' },
    ],
    [
      'names that JavaScript objects have',
      'msgctxt "__proto__"\nmsgid "constructor"\nmsgstr "x"',
      { '__proto__\x04constructor': 'x' },
    ],
    [
      'a backslash at a line end, which joins the lines of a string',
      'msgid "a\\\nb"\nmsgstr "\\x4\\\n1"',
      { ab: 'A' },
    ],
    ['and those of a comment', '# c \\\nmsgid "x"\nmsgid "a"\nmsgstr "b"', { a: 'b' }],
    [
      'plural indices on lines of their own',
      'msgid "a"\nmsgid_plural "b"\nmsgstr\n[\n0 ]\n"c"\nmsgstr[1]"d"',
      { 'a\0b': 'c\0d' },
    ],
    ['form feeds and vertical tabs between words', 'msgid\f"a"\vmsgstr\t"b"', { a: 'b' }],
    ['a NUL in a comment', '# \0\nmsgid "a"\nmsgstr "b"', { a: 'b' }],
    ['hexadecimal bytes with zeros before them', 'msgid "a"\nmsgstr "\\x0041"', { a: 'A' }],
    ['bytes that are not UTF-8 in a comment', '# \xff\nmsgid "a"\nmsgstr "b"', { a: 'b' }],
  ])('%s', (name, po, messages) => {
    const source = name.startsWith('bytes') ? Buffer.from(header + po, 'latin1') : header + po;
    expect(compileText(source)).toMatchObject({ messages, diagnostics: [] });
  });

  it('resolves every C escape', () => {
    const { messages } = compileText(`${header}msgid "a"\nmsgstr "-\\n\\t\\r\\b\\f\\v\\a\\\\\\"\\101\\x42-"`);
    expect(messages).toEqual({ a: '-\n\t\r\b\f\v\x07\\"AB-' });
  });
});

describe('what is refused, with its place', () => {
  it.each<[string, string]>([
    ['msgid "a"\n', '7:1: error: msgstr is missing: the file ends here'],
    [
      'msgid "a"\nmsgstr "b\n',
      '7:10: error: the string is not closed: the line ends before the closing quote',
    ],
    ['msgid "a"\nmsgstr "b', '7:10: error: the string is not closed: the file ends before the closing quote'],
    ['msgid "ż"\nmsgstr "ż\\z"', '7:10: error: invalid escape: "\\z" (for a backslash write "\\\\")'],
    [
      'msgid "a"\nmsgstr "\\x123"',
      '7:9: error: the escape "\\x123" is more than one byte: write the character itself',
    ],
    [
      'msgid "a"\nmsgstr "\\xff"',
      '7:8: error: the string holds bytes that are not UTF-8, the charset of the header: save the file as UTF-8',
    ],
    [
      'msgid "a"\nmsgstr "b\\0"',
      '7:8: error: the string holds a NUL character: programs would see the text cut off there',
    ],
    [
      'msgid "a\\4b"\nmsgstr "b"',
      '6:7: error: the string holds the character EOT (\\x04), which separates contexts in .mo files',
    ],
    ['msgid "a"\n# no\nmsgstr "b"', '7:1: error: a comment cannot stand inside an entry: msgstr is missing'],
    [
      'msgid "a"\nmsgid_plural "b"\nmsgstr "c"',
      '8:8: error: "[" and the number of the plural form is missing',
    ],
    ['msgid "a"\nmsgstr[0] "c"', '7:7: error: a string must follow msgstr'],
    ['msgid "a"\nmsgid_plural "b"\nmsgstr[1] "c"', '8:1: error: plural form 1 stands where form 0 belongs'],
    [
      'msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"\nmsgstr[0] "d"',
      '9:1: error: plural form 0 stands where form 1 belongs',
    ],
    ['msgstr "b"', '6:1: error: syntax error: a msgstr that belongs to no entry'],
    ['msgid "a"\nmsgstr "b"\nmsgstr "c"', '8:1: error: syntax error: a msgstr that belongs to no entry'],
    ['<<<<<<< HEAD', '6:1: error: syntax error: a merge conflict: resolve it'],
    ['<<', '6:1: error: syntax error: something that no .po file holds'],
    ['msgid "a"\nmsgstr "b"\n\x1a', '8:1: error: syntax error: something that no .po file holds'],
    ['msgid\u00a0"a"\nmsgstr "b"', '6:6: error: a string must follow msgid'],
    ['msgid "a"\0\nmsgstr "b"', '6:10: error: msgstr is missing'],
    ['msgid "a\\\nb"\nmsgstr "\\q"', '8:9: error: invalid escape: "\\q" (for a backslash write "\\\\")'],
    [
      'msgid "a\\\r\nb"\r\nmsgstr "c"',
      '6:9: error: invalid escape: a backslash with nothing known behind it (for a backslash write "\\\\")',
    ],
    [
      'msgid "a"\nmsgstr "b"\n\n#~ msgid "a"\n#~ msgstr "c"',
      '9:4: error: duplicate message: "a" stands in this catalog already: remove one',
    ],
    ['msgwhat "a"', '6:1: error: "msgwhat" is not a keyword of a .po file'],
    ["msgid 'a'\nmsgstr 'b'", '6:7: error: a string must follow msgid'],
    [
      'domain "x"',
      '6:1: error: syntax error: a "domain" line: move the messages of each domain to a file of its own',
    ],
    [
      '#~ msgid "a"\nmsgstr "b"',
      '7:1: error: one part of this entry is obsolete and another is not: begin all its lines with "#~", or none',
    ],
    [
      '#| msgid "a"\n#, fuzzy\nmsgid "a"\nmsgstr "b"',
      '7:1: error: a comment cannot stand inside an entry: msgid is missing',
    ],
    [
      'msgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"',
      '9:1: error: duplicate message: "a" stands in this catalog already: remove one',
    ],
  ])('%j: %s', (po, diagnostic) => {
    const { messages, diagnostics } = compileText(header + po);
    expect(messages).toBeUndefined();
    expect(diagnostics.filter((line) => line.includes('error:'))[0]).toBe(diagnostic);
  });

  it('reports every fault of a catalog, not only the first', () => {
    const { diagnostics } = compileText(
      `${header}msgid "a"\n\nmsgid "b"\nmsgstr "\\z"\n\nfoo bar baz\nmsgid "c"\nmsgid "d"`,
    );
    expect(diagnostics.map((line) => line.split(':')[0])).toEqual(['8', '9', '11', '13', '13']);
  });

  it.each([
    ['UTF-8', Buffer.from(`\ufeff${header}`)],
    ['UTF-16', Buffer.from(`\ufeff${header}`, 'utf16le')],
  ])('a byte-order mark (%s)', (_encoding, bytes) => {
    const { messages, diagnostics } = compileText(bytes);
    expect(messages).toBeUndefined();
    expect(diagnostics).toEqual([
      expect.stringMatching(/^1:1: error: the file begins with a byte-order mark/),
    ]);
  });

  it.each<[string, Buffer, string]>([
    ['UTF-16 without a mark', Buffer.from(header, 'utf16le'), 'the file looks like UTF-16: save it as UTF-8'],
    [
      'CR alone at line ends, where a comment would hide the rest',
      Buffer.from(`# c\n${header}`.replaceAll('\n', '\r')),
      'the lines end with CR alone: save the file with LF (Unix) line ends',
    ],
  ])('%s', (_name, bytes, text) => {
    expect(compileText(bytes)).toMatchObject({ messages: undefined, diagnostics: [`1:1: error: ${text}`] });
  });

  it.each([
    ['', 'the file has no entries: is it the right one?'],
    ['# only this\n', 'the file has no entries: is it the right one?'],
    ['msgctxt ""\nmsgid ""\nmsgstr "x"', 'the catalog has no header entry: programs take it for ASCII'],
  ])('but %j is only warned of: %s', (po, text) => {
    expect(compileText(po).diagnostics).toEqual([`1:1: warning: ${text}`]);
  });

  it('warns of a carriage return that only the translation has', () => {
    const po = `${header}msgid "a\\r"\nmsgstr "b\\r"\n\nmsgid "c"\nmsgstr "d\\r"\n`;
    expect(compileText(po).diagnostics).toEqual([
      '10:1: warning: the translation holds a carriage return ("\\r"), the source text does not: remove it',
    ]);
  });

  it('gives up on what is no .po file at all', () => {
    const { messages, diagnostics } = compileText('x "y" '.repeat(10_000).replaceAll(' ', '\n#\n'));
    expect(messages).toBeUndefined();
    expect(diagnostics.length).toBeLessThan(20_100);
  });
});

describe('charsets', () => {
  const withCharset = (name: string) =>
    `msgid ""\nmsgstr "Content-Type: text/plain; charset=${name}\\n"\n\nmsgid "a"\nmsgstr "`;

  it.each([
    ['ISO-8859-1', [0xe9], 'é'],
    ['ISO-8859-2', [0xb3], 'ł'],
    ['iso-8859-15', [0xa4], '€'],
    ['KOI8-R', [0xc1], 'а'],
    ['CP1251', [0xe0], 'а'],
    ['EUC-JP', [0xa4, 0xa2], 'あ'],
    ['SHIFT_JIS', [0x83, 0x5c], 'ソ'],
    ['GBK', [0x81, 0x5c], '乗'],
    ['utf-8', [0xc5, 0x82], 'ł'],
  ])('%s becomes UTF-8', (name, bytes, expected) => {
    const po = Buffer.concat([Buffer.from(withCharset(name)), Buffer.from(bytes), Buffer.from('"\n')]);
    expect(compileText(po)).toMatchObject({ messages: { a: expected }, diagnostics: [] });
  });

  it.each([
    ['EUC-JP', [0xff], /^5:8: error: the string holds bytes that are not EUC-JP/],
    ['US-ASCII', [0xe9], /^5:8: error: the string holds bytes that are not ASCII/],
    ['CHARSET', [0x61], /^2:1: error: the charset "CHARSET" cannot be read: it is what templates have/],
    ['UTF-8;', [0x61], /^2:1: error: the charset "UTF-8;" cannot be read: write charset=UTF-8/],
    ['\\"UTF-8\\"', [0x61], /^2:1: error: .* cannot be read: write charset=UTF-8/],
    ['UTF-8\\r', [0x61], /^2:1: error: the charset ends with "\\r"/],
    ['ISO-8859-1', [0x5c, 0x78, 0x65, 0x39], /^5:8: error: an escape stands for a byte over/],
  ])('%s with bytes %j is refused', (name, bytes, diagnostic) => {
    const po = Buffer.concat([Buffer.from(withCharset(name)), Buffer.from(bytes), Buffer.from('"\n')]);
    const { messages, diagnostics } = compileText(po);
    expect(messages).toBeUndefined();
    expect(diagnostics[0]).toMatch(diagnostic);
  });

  it.each(['KOI8-T', 'CP850', 'EUC-TW', 'JOHAB', 'VISCII', 'GEORGIAN-PS', 'UTF-7', 'latin1'])(
    '%s, which Node.js cannot decode, is refused with the way out',
    (name) => {
      const po = Buffer.concat([Buffer.from(withCharset(name)), Buffer.from([0xe9]), Buffer.from('"\n')]);
      expect(compileText(po).diagnostics).toEqual([
        expect.stringContaining(
          `error: the charset "${name}" cannot be read: convert the file with \`msgconv -t UTF-8\``,
        ),
      ]);
    },
  );

  it('are needed as soon as a text is not ASCII', () => {
    expect(compileText('msgid "a"\nmsgstr "b"').messages).toEqual({ a: 'b' });
    expect(compileText('msgid "a"\nmsgstr "ż"').diagnostics.at(-1)).toMatch(
      /^2:8: error: .* no header entry names a charset/,
    );
  });
});
