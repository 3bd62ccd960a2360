import { type ArgumentMap, addArgument } from './argument-maps.ts';
import { quoteText } from './quote-text.ts';

/** `%%`, or a number, flags (`'x` pads with x), a width, a precision, a size and the letter of PHP's `sprintf`. */
const directive = /%(?:%|(?:(\d+)\$)?(?:[-0 ]|'[\0-\x7f])*\d*(?:\.\d+)?l?([bdouxXefcs]))/y;

const types: Readonly<Record<string, string>> = { e: 'float', f: 'float', c: 'character', s: 'string' };

/**
 * Reads a string for PHP's `sprintf`. Arguments without a number are counted on their own, so that `%2$s %s` takes two.
 * The letters and flags are those that msgfmt knows: not `%+d`, `%F`, `%g`.
 */
export function parsePhpFormat(text: string): ArgumentMap<number> | string {
  const found = new Map<number, string>();
  let unnumbered = 0;
  for (let at = text.indexOf('%'); at !== -1; at = text.indexOf('%', directive.lastIndex)) {
    directive.lastIndex = at;
    const match = directive.exec(text);
    if (match === null) return `${quoteText(text.slice(at, at + 10))} is not a directive`;
    const [, number, letter] = match;
    if (letter === undefined) continue;
    if (number === undefined) unnumbered += 1;
    const position = number === undefined ? unnumbered : Number(number);
    const problem = addArgument(found, position, types[letter] ?? 'integer');
    if (problem !== undefined) return problem;
  }
  return found;
}
