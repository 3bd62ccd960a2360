import * as fc from 'fast-check';

/** Lines of which any order makes a good or bad catalog. */
export const poLine: fc.Arbitrary<string> = fc.constantFrom(
  ...['msgid "a"', 'msgid "b"', 'msgid "c %d"', 'msgid "%(x)s"', 'msgid "{a}"', 'msgid ""', 'msgid "%1$s"'],
  ...[
    'msgid_plural "as"',
    'msgid_plural "%d as"',
    'msgstr "x"',
    'msgstr "ż %d"',
    'msgstr ""',
    'msgstr "%2$s"',
  ],
  ...[
    'msgstr "%(x)s"',
    'msgstr "%(y)s"',
    'msgstr "{a}"',
    'msgstr[0] "y"',
    'msgstr[1] "z"',
    'msgstr[1] "%d z"',
  ],
  ...['msgstr[2] "q"', 'msgstr[ 1 ] "w"', 'msgstr[0] ""', 'msgstr [', '0', ']', '"more"', '"\\n"', '"a" "b"'],
  ...['"\\x41\\102\\a"', '"\\q"', '"\\', '\\', '# c \\', 'msgctxt "k"', 'msgctxt ""', 'msgid "a" msgstr "b"'],
  ...['#, fuzzy', '#,fuzzy, c-format', '#, c-format', '#, python-format', '#, no-python-format', '#! fuzzy'],
  ...[
    '#, python-brace-format',
    '#, php-format',
    '#, ruby-format',
    '#, javascript-format',
    '#, possible-c-format',
  ],
  ...[
    '# comment',
    '#: f.c:1',
    '#. dot',
    '#',
    '#| msgid "old"',
    '#| msgctxt "k"',
    '#| "old"',
    '#| msgid_plural "x"',
  ],
  ...[
    '#, c-format, range: 0..1',
    '#~ msgid "o"',
    '#~ msgstr "p"',
    '#~| msgid "oo"',
    '#~ "q"',
    '#~ msgctxt "k"',
    '#~',
  ],
  ...[
    '',
    '',
    '',
    '\r',
    'junk',
    '[',
    'é',
    '"unclosed',
    'domain "d"',
    '<<<<<<< HEAD',
    '=======',
    'msgid "a" #c',
  ],
);

/** Positions are parts of the whole, so that they fit every text. */
type Mutation = (text: string) => string;

const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const someBytes = fc.constantFrom(
  ...'"\\\n\r#~|[]%{}$:; \t0129azmsgidtrnul=?\0\x04\xa0\xc5\xff',
  '\\n',
  '%s',
  '\\\n',
);

function onLines(change: (lines: string[], at: number) => void): (at: number) => Mutation {
  return (at) => (text) => {
    const lines = text.split('\n');
    change(lines, Math.floor(at * lines.length));
    return lines.join('\n');
  };
}

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  position.map(onLines((lines, at) => lines.splice(at, 1))),
  position.map(onLines((lines, at) => lines.splice(at, 0, lines[at] ?? ''))),
  position.map(onLines((lines, at) => lines.splice(at, 2, lines[at + 1] ?? '', lines[at] ?? ''))),
  position.map(onLines((lines, at) => lines.splice(at, 1, `#~ ${lines[at] ?? ''}`))),
  position.map(onLines((lines, at) => lines.splice(at, 2, `${lines[at] ?? ''}${lines[at + 1] ?? ''}`))),
  fc
    .tuple(position, position)
    .map(([from, at]) =>
      onLines((lines, to) =>
        lines.splice(to, 0, ...lines.slice(Math.floor(from * lines.length)).slice(0, 4)),
      )(at),
    ),
  fc.tuple(position, poLine).map(([at, line]) => onLines((lines, index) => lines.splice(index, 0, line))(at)),
  fc.tuple(position, someBytes, fc.nat(2)).map(
    ([at, bytes, removed]): Mutation =>
      (text) => {
        const index = Math.floor(at * text.length);
        return text.slice(0, index) + bytes + text.slice(index + removed);
      },
  ),
  fc.tuple(position, fc.integer({ min: 1, max: 3 })).map(
    ([at, removed]): Mutation =>
      (text) => {
        const index = Math.floor(at * text.length);
        return text.slice(0, index) + text.slice(index + removed);
      },
  ),
  {
    weight: 1,
    arbitrary: position.map(
      (at): Mutation =>
        (text) =>
          text.slice(0, Math.ceil(at * text.length)),
    ),
  },
);

/** One of these catalogs, given as bytes in a string, with some changes in it. */
export function mutatedCatalog(catalogs: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...catalogs), fc.array(mutation, { minLength: 1, maxLength: 3 }))
    .map(([catalog, mutations]) => mutations.reduce((text, mutate) => mutate(text), catalog));
}
