/** The types of the arguments that a format takes, in the order of the arguments. */
export type OrderedArguments = readonly string[];

/** What is wrong with a translation that takes these arguments, or undefined. */
export function compareOrderedArguments(
  source: OrderedArguments,
  translation: OrderedArguments,
  isStrict: boolean,
): string | undefined {
  const isCountBad = isStrict ? source.length !== translation.length : source.length < translation.length;
  if (isCountBad)
    return `has ${translation.length} format specifications, the source text has ${source.length}`;
  const index = translation.findIndex((type, position) => type !== source[position]);
  if (index === -1) return undefined;
  return `takes argument ${index + 1} as ${translation[index]}, the source text as ${source[index]}`;
}
