import { quoteText } from './quote-text.ts';

/** The types of the arguments that a format takes, by their numbers (from 1) or their names. */
export type ArgumentMap<Key extends number | string> = ReadonlyMap<Key, string>;

/** Notes that the argument is used as `type`; returns what is wrong with that, or undefined. */
export function addArgument<Key extends number | string>(
  types: Map<Key, string>,
  key: Key,
  type: string,
): string | undefined {
  if (key === 0) return 'there is no argument number 0';
  const known = types.get(key);
  if (known !== undefined && known !== type) return `${show(key)} is used as ${known} and as ${type}`;
  types.set(key, type);
  return undefined;
}

/**
 * What is wrong with a translation that takes these arguments, or undefined. When it is not strict, it may leave some
 * out, and `anything` goes with every type.
 */
export function compareArgumentMaps<Key extends number | string>(
  source: ArgumentMap<Key>,
  translation: ArgumentMap<Key>,
  isStrict: boolean,
): string | undefined {
  for (const [key, type] of translation) {
    const expected = source.get(key);
    if (expected === undefined) return `uses ${show(key)}, which the source text does not have`;
    const isSame = expected === type || (!isStrict && [expected, type].includes('anything'));
    if (!isSame) return `takes ${show(key)} as ${type}, the source text as ${expected}`;
  }
  const missing = [...source.keys()].find((key) => !translation.has(key));
  return isStrict && missing !== undefined ? `does not use ${show(missing)}` : undefined;
}

function show(key: number | string): string {
  return typeof key === 'number' ? `argument ${key}` : quoteText(key);
}
