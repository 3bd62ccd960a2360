import type { OrderedArguments } from './ordered-arguments.ts';
import { quoteText } from './quote-text.ts';

const directive =
  /%(?:(\d+)\$)?([ +\-#0'I]*)(?:(\*)(?:(\d+)\$)?|\d+)?(?:\.(?:(\*)(?:(\d+)\$)?|\d*))?(?:<PRI([diouxX])((?:LEAST|FAST)?(?:8|16|32|64)|MAX|PTR)>|([hlLqjzZt]*)([\s\S]?))/y;

interface Argument {
  position: number | undefined;
  type: string;
}

/**
 * Reads a C format string, with POSIX's `%1$s`, glibc's flags `'` and (in translations) `I`, and the `<PRIu64>` macros.
 * Numbers must be given for all arguments or for none, and leave none out.
 */
export function parseCFormat(text: string, isTranslation: boolean): OrderedArguments | string {
  const found: Argument[] = [];
  for (let at = text.indexOf('%'); at !== -1; at = text.indexOf('%', directive.lastIndex)) {
    directive.lastIndex = at;
    const match = directive.exec(text);
    if (match === null) return `"${text.slice(at, at + 10)}" cannot be read`;
    const [all, number, flags = '', width, widthNumber, precision, precisionNumber] = match;
    if (number !== undefined && Number(number) === 0) return 'there is no argument number 0';
    if (flags.includes('I') && !isTranslation) return `the flag I is only for translations`;
    if (width !== undefined) found.push({ position: toPosition(widthNumber), type: 'integer' });
    if (precision !== undefined) found.push({ position: toPosition(precisionNumber), type: 'integer' });
    const type =
      match[7] === undefined
        ? simpleType(match[9] ?? '', match[10] ?? '')
        : macroType(match[7], match[8] ?? '');
    if (type === undefined) return `${quoteText(all)} is not a directive`;
    if (type !== 'none') found.push({ position: toPosition(number), type });
  }
  return inOrder(found);
}

function toPosition(number: string | undefined): number | undefined {
  return number === undefined ? undefined : Number(number);
}

function inOrder(found: readonly Argument[]): OrderedArguments | string {
  const isNumbered = found.some(({ position }) => position !== undefined);
  if (!isNumbered) return found.map(({ type }) => type);
  const types: string[] = [];
  for (const { position, type } of found) {
    if (position === undefined) return 'some arguments are numbered and some are not';
    if (position < 1 || position > 1000) return `there is no argument number ${position}`;
    const known = types[position - 1];
    if (known !== undefined && known !== type)
      return `argument ${position} is used as ${known} and as ${type}`;
    types[position - 1] = type;
  }
  const gap = Array.from(types, (type: string | undefined) => type === undefined).indexOf(true);
  return gap === -1 ? types : `argument ${gap + 1} is not used, but argument ${types.length} is`;
}

function macroType(letter: string, width: string): string {
  return `${letter === 'd' || letter === 'i' ? 'integer' : 'unsigned integer'} (${width})`;
}

function simpleType(sizes: string, letter: string): string | undefined {
  const size = argumentSize(sizes);
  const isWide = size === 'long' || size === 'long long';
  const sized = (type: string, shown = size) => (shown === '' ? type : `${type} (${shown})`);
  if ('di'.includes(letter) && letter !== '') return sized('integer');
  if ('uoxX'.includes(letter) && letter !== '') return sized('unsigned integer');
  if ('eEfFgGaA'.includes(letter) && letter !== '')
    return sized('floating-point number', size === 'long long' ? size : '');
  switch (letter) {
    case '%':
    case 'm':
      return 'none';
    case 'c':
      return sized('character', isWide ? 'wide' : '');
    case 'C':
      return sized('character', 'wide');
    case 's':
      return sized('string', isWide ? 'wide' : '');
    case 'S':
      return sized('string', 'wide');
    case 'p':
      return 'pointer';
    case 'n':
      return sized('pointer to a count');
    default:
      return undefined;
  }
}

function argumentSize(sizes: string): string {
  let size = '';
  for (const letter of sizes) {
    if (letter === 'h') size = size === 'short' || size === 'char' ? 'char' : 'short';
    else if (letter === 'l') size = size === 'long' || size === 'long long' ? 'long long' : 'long';
    else if (letter === 'L' || letter === 'q') size = 'long long';
    else if (letter === 'j') size = 'intmax_t';
    else if (letter === 't') size = 'ptrdiff_t';
    else size = 'size_t';
  }
  return size;
}
