import { quoteText } from './quote-text.ts';

/** `%(name)%` takes a value too, and does nothing with it. */
type ArgumentType = 'character' | 'string' | 'number' | 'floating-point number' | 'anything' | 'nothing';

/** What the right side of Python's `%` must be: a tuple of these types, or a mapping with these keys. */
export interface PythonArguments {
  unnamed: readonly ArgumentType[];
  named: ReadonlyMap<string, ArgumentType>;
}

const afterName = /[-+ #0]*(\*|\d+)?(?:\.(\*|\d+)?)?[hlL]?([\s\S]?)/y;
const letters: readonly (readonly [string, ArgumentType])[] = [
  ['c', 'character'],
  ['sra', 'string'],
  ['idouxX', 'number'],
  ['eEfFgG', 'floating-point number'],
];

/** Reads a string for Python's `%` operator. */
export function parsePythonFormat(text: string): PythonArguments | string {
  const unnamed: ArgumentType[] = [];
  const named = new Map<string, ArgumentType>();
  for (let at = text.indexOf('%'); at !== -1; at = text.indexOf('%', afterName.lastIndex)) {
    const name = text[at + 1] === '(' ? readName(text, at + 2) : undefined;
    if (name === null) return 'a "%(" is not closed';
    afterName.lastIndex = name === undefined ? at + 1 : at + name.length + 3;
    const [, width, precision, letter = ''] = afterName.exec(text) ?? [];
    const starCount = [width, precision].filter((part) => part === '*').length;
    for (let count = 0; count < starCount; count += 1) unnamed.push('number');
    const type = typeOf(letter);
    if (type === undefined && letter !== '%')
      return `${quoteText(text.slice(at, afterName.lastIndex))} is not a directive`;
    const isAnything = type === 'string' && /^0+$/.test(precision ?? '');
    const taken = isAnything ? 'anything' : type;
    if (name === undefined) {
      if (taken !== undefined) unnamed.push(taken);
    } else {
      const problem = addNamed(named, name, taken ?? 'nothing');
      if (problem !== undefined) return problem;
    }
  }
  if (named.size > 0 && unnamed.length > 0) return 'some arguments are named and some are not';
  return { unnamed, named };
}

function typeOf(letter: string): ArgumentType | undefined {
  return letter === '' ? undefined : letters.find(([known]) => known.includes(letter))?.[1];
}

/** What is wrong with a translation that takes these arguments, or undefined. */
export function comparePythonArguments(
  source: PythonArguments,
  translation: PythonArguments,
  isStrict: boolean,
): string | undefined {
  if (source.named.size > 0 && translation.unnamed.length > 0)
    return 'expects a tuple, the source text a mapping';
  if (source.unnamed.length > 0 && translation.named.size > 0)
    return 'expects a mapping, the source text a tuple';
  return (
    compareNamed(source.named, translation.named, isStrict) ??
    compareUnnamed(source.unnamed, translation.unnamed, isStrict)
  );
}

function compareNamed(
  source: PythonArguments['named'],
  translation: PythonArguments['named'],
  isStrict: boolean,
): string | undefined {
  for (const [name, type] of translation) {
    const expected = source.get(name);
    if (expected === undefined) return `uses ${quoteText(`%(${name})`)}, which the source text does not have`;
    if (!isSame(expected, type, isStrict))
      return `takes ${quoteText(`%(${name})`)} as ${type}, the source text as ${expected}`;
  }
  const missing = [...source.keys()].find((name) => !translation.has(name));
  return isStrict && missing !== undefined ? `does not use ${quoteText(`%(${missing})`)}` : undefined;
}

function compareUnnamed(
  source: PythonArguments['unnamed'],
  translation: PythonArguments['unnamed'],
  isStrict: boolean,
): string | undefined {
  if (source.length !== translation.length) {
    return `has ${translation.length} format specifications, the source text has ${source.length}`;
  }
  for (const [index, type] of translation.entries()) {
    const expected = source[index] ?? type;
    if (!isSame(expected, type, isStrict))
      return `takes argument ${index + 1} as ${type}, the source text as ${expected}`;
  }
  return undefined;
}

function isSame(a: ArgumentType, b: ArgumentType, isStrict: boolean): boolean {
  return a === b || (!isStrict && (a === 'anything' || b === 'anything'));
}

function addNamed(named: Map<string, ArgumentType>, name: string, type: ArgumentType): string | undefined {
  const known = named.get(name);
  if (known === undefined || known === 'anything') {
    named.set(name, type);
    return undefined;
  }
  if (known === type || type === 'anything') return undefined;
  return `${quoteText(`%(${name})`)} is used as ${known} and as ${type}`;
}

/** The name from `from` to its closing parenthesis; names may hold balanced parentheses. Null when it does not close. */
function readName(text: string, from: number): string | null {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    else if (text[at] === ')') {
      if (depth === 0) return text.slice(from, at);
      depth -= 1;
    }
  }
  return null;
}
