import { type ArgumentMap, addArgument } from './argument-maps.ts';
import { quoteText } from './quote-text.ts';

const directive = /%(?:(\d+)\$)?[- +0I]*\d*(?:\.\d*)?([%bdoxXfcsj])/y;

const types: Readonly<Record<string, string>> = {
  c: 'character',
  f: 'float',
  j: 'anything',
  s: 'string',
};

/** Reads a format string of the `sprintf` that JavaScript programs (GNOME's first) have: numbers for all or for none. */
export function parseJavascriptFormat(text: string): ArgumentMap<number> | string {
  const found = new Map<number, string>();
  let unnumbered = 0;
  let isNumbered = false;
  for (let at = text.indexOf('%'); at !== -1; at = text.indexOf('%', directive.lastIndex)) {
    directive.lastIndex = at;
    const match = directive.exec(text);
    if (match === null) return `${quoteText(text.slice(at, at + 10))} is not a directive`;
    const [, number, letter = ''] = match;
    if (number !== undefined && Number(number) === 0) return 'there is no argument number 0';
    if (letter === '%') continue;
    if (number === undefined) unnumbered += 1;
    else isNumbered = true;
    if (isNumbered && unnumbered > 0) return 'some arguments are numbered and some are not';
    const position = number === undefined ? unnumbered : Number(number);
    const problem = addArgument(found, position, types[letter] ?? 'integer');
    if (problem !== undefined) return problem;
  }
  return found;
}
