import * as fc from 'fast-check';

/** A message as a test makes it up. */
export interface MadeMessage {
  context: string | undefined;
  id: string;
  plural: string | undefined;
  translations: string[];
}

const text = fc.oneof(
  fc.string({
    unit: fc.constantFrom(
      'a',
      'b',
      'ż',
      '\n',
      '\t',
      '"',
      '\\',
      '%',
      '{',
      '#',
      ' ',
      '\x07',
      '\x7f',
      '�',
      '漢',
      '😀',
      '\r',
    ),
    maxLength: 12,
  }),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'msgid'),
);
const solid = text.map((part) => `m${part}m`); // begins and ends with no newline, and is not empty

/** Messages with different keys, no two alike even where an empty context is taken for none. */
export const madeMessages: fc.Arbitrary<MadeMessage[]> = fc.uniqueArray(
  fc.record({
    context: fc.option(text, { nil: undefined }),
    id: solid,
    plural: fc.option(solid, { nil: undefined }),
    translations: fc.tuple(solid, solid),
  }),
  { maxLength: 20, selector: ({ context, id }) => `${context ?? ''}\x04${id}` },
);

const names: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\t': '\\t',
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\r': '\\r',
};

/** The .po source of messages, strings cut into continued pieces now and then. */
export function toPoText(messages: readonly MadeMessage[]): string {
  const lines = messages.flatMap(({ context, id, plural, translations: [first = '', second = ''] }) => [
    ...(context === undefined ? [] : [`msgctxt ${quote(context)}`]),
    `msgid ${quote(id)}`,
    ...(plural === undefined
      ? [`msgstr ${quote(first)}`]
      : [`msgid_plural ${quote(plural)}`, `msgstr[0] ${quote(first)}`, `msgstr[1] ${quote(second)}`]),
    '',
  ]);
  return lines.join('\n');
}

function quote(value: string): string {
  const escaped = value.replace(/[\n\t"\\\x07\r]/g, (character) => names[character] ?? character);
  return `"${escaped}"`.replaceAll('\\n', '\\n"\n"');
}

/** What a program finds under the key of each message. */
export function expectedEntries(messages: readonly MadeMessage[]): Record<string, string> {
  const pairs = messages.map(({ context, id, plural, translations }) => {
    const lookup = context === undefined ? id : `${context}\x04${id}`;
    return plural === undefined
      ? [lookup, translations[0] ?? '']
      : [`${lookup}\0${plural}`, translations.join('\0')];
  });
  return Object.fromEntries(pairs);
}
