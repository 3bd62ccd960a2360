import { describe, expect, it } from 'vitest';
import { compileText, header } from './compile-text.ts';

describe('which messages are shipped', () => {
  it.each<[string, string, string[]]>([
    ['a translated one', 'msgid "a"\nmsgstr "b"', ['a']],
    ['not a fuzzy one', '#, fuzzy\nmsgid "a"\nmsgstr "b"', []],
    ['not one whose fuzzy flag has company', '#, c-format,fuzzy\nmsgid "a"\nmsgstr "b"', []],
    ['not one that gettext 1.0 marks fuzzy', '#= fuzzy\nmsgid "a"\nmsgstr "b"', []],
    ['one whose comment only speaks of fuzzy', '# fuzzy\n#. , fuzzy\nmsgid "a"\nmsgstr "b"', ['a']],
    ['not an untranslated one', 'msgid "a"\nmsgstr ""', []],
    [
      'not a plural whose first form is empty',
      'msgid "a"\nmsgid_plural "b"\nmsgstr[0] ""\nmsgstr[1] "c"',
      [],
    ],
    [
      'a plural with a later form empty, as msgfmt does',
      'msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"\nmsgstr[1] ""',
      ['a\0b'],
    ],
  ])('%s', (_name, po, keys) => {
    expect(Object.keys(compileText(header + po).messages ?? {})).toEqual(keys);
  });

  it('fuzzy ones where they are asked for', () => {
    const po = `${header}#, fuzzy\nmsgid "a"\nmsgstr "b"`;
    expect(compileText(po, { useFuzzy: true }).messages).toEqual({ a: 'b' });
  });

  it('the header even if it is fuzzy', () => {
    expect(compileText(`#, fuzzy\n${header}msgid "a"\nmsgstr "ż"`).messages).toEqual({ a: 'ż' });
  });

  it('and how many are not', () => {
    const po = `${header}msgid "a"\nmsgstr "b"\n\n#, fuzzy\nmsgid "c"\nmsgstr "d"\n\nmsgid "e"\nmsgstr ""\n\n#~ msgid "f"\n#~ msgstr "g"`;
    expect(compileText(po).counts).toEqual({
      translated: 1,
      fuzzy: 1,
      untranslated: 1,
      obsolete: 1,
      dropped: 0,
    });
  });
});

describe('what is wrong with a message', () => {
  it.each<[string, string]>([
    ['msgid "a\\n"\nmsgstr "b"', 'msgid and msgstr do not both end with "\\n"'],
    ['msgid "a"\nmsgstr "\\nb"', 'msgid and msgstr do not both begin with "\\n"'],
    [
      'msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"',
      'the message has 1 plural forms, but the header says nplurals=2',
    ],
    ['#, c-format\nmsgid "%d"\nmsgstr "%s"', 'msgstr takes argument 1 as string, the source text as integer'],
    [
      '#, python-format\nmsgid "%(a)s"\nmsgstr "%(b)s"',
      'msgstr uses "%(b)", which the source text does not have',
    ],
    ['#, python-brace-format\nmsgid "{a}"\nmsgstr "a"', 'msgstr does not use "{a}"'],
  ])('%j: %s', (po, message) => {
    const { messages, diagnostics } = compileText(header + po);
    expect(messages).toBeUndefined();
    expect(diagnostics[0]).toContain(`error: ${message}`);
  });

  it('is not looked for in messages that are left out', () => {
    const po = '#, fuzzy, c-format\nmsgid "%d"\nmsgstr "%s"\n\nmsgid "x"\nmsgid_plural "xs"\nmsgstr[0] ""\n';
    expect(compileText(header + po)).toMatchObject({ messages: {}, diagnostics: [] });
  });

  it('leaves only that message out with drop, and names it', () => {
    const po = `${header}msgid "good"\nmsgstr "dobre"\n\n#, c-format\nmsgid "%d"\nmsgstr "%s"\n\nmsgid "good"\nmsgstr "inne"\n\nmsgid "q"\nmsgstr "\\q"`;
    const { messages, diagnostics, counts } = compileText(po, { onBadMessage: 'drop' });
    expect(messages).toEqual({ good: 'dobre' });
    expect(counts).toMatchObject({ translated: 1, dropped: 3 });
    expect(diagnostics.filter((line) => line.includes('error:'))).toHaveLength(3);
  });

  it.each([
    ['syntax', 'msgid "a"\n'],
    ['a second header', 'msgid ""\nmsgstr "x: y\\n"'],
  ])('drop does not help against %s', (_name, po) => {
    expect(compileText(header + po, { onBadMessage: 'drop' }).messages).toBeUndefined();
  });
});

describe('what is wrong with a header', () => {
  const wrong = (lines: string) =>
    compileText(
      `msgid ""\nmsgstr ""\n${lines}\n\nmsgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"\nmsgstr[1] "d"\n`,
    );
  const type = '"Content-Type: text/plain; charset=UTF-8\\n"';

  it.each<[string, RegExp]>([
    [type, /7:1|5:1: error: this message has plural forms, but no header says/],
    [`${type}\n"Plural-Forms: nplurals=2; plural=n+;\\n"`, /"n\+" is not a plural expression/],
    [`${type}\n"Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;\\n"`, /is not of the form/],
    [`${type}\n"Plural-Forms: nplurals=2, plural=n != 1;\\n"`, /is not of the form/],
    [`${type}\n"Plural-Forms: nplurals=1; plural=n != 1;\\n"`, /gives form 1 for n = 0/],
    [`${type}\n"Plural-Forms: nplurals=2; plural=n-1;\\n"`, /gives form -1 for n = 0/],
    [`${type}\n"Plural-Forms: nplurals=2; plural=1%n;\\n"`, /divides by zero for n = 0/],
    ['"Content-Type: text/plain\\n"', /programs cannot read the charset/],
    ['"Content-Type: text/plain; charset = UTF-8\\n"', /programs cannot read the charset/],
    [
      '"Content-Type: text/plain; charset=UTF-8"\n"Language: pl\\n"',
      /the charset "UTF-8Language:" cannot be read|programs cannot read/,
    ],
    ['"X-Charset: charset=UTF-8\\n"', /not in a Content-Type line/],
  ])('%j: %s', (lines, diagnostic) => {
    const { messages, diagnostics } = wrong(lines);
    expect(messages).toBeUndefined();
    expect(diagnostics.filter((line) => line.includes('error:'))[0]).toMatch(diagnostic);
  });
});
