import { quoteText } from './quote-text.ts';
import { RubyArgumentList, type RubyArguments } from './ruby-arguments.ts';

/** One part of a directive at a time: Ruby takes them in nearly any order. */
const part =
  /[ #+\-0]|(\d+)\$|\d+|\*(?:(\d+)\$)?|\.(?:\*(?:(\d+)\$)?|\d*)|<([^>]*)>|\{([^}]*)\}|[%\nA-Za-z]/y;

const letters: readonly (readonly [string, string])[] = [
  ['%\n', 'none'],
  ['bBdiouxX', 'integer'],
  ['aAeEfgG', 'float'],
  ['c', 'character'],
  ['p', 'inspected value'],
  ['s', 'string'],
];

interface Directive {
  number: number | undefined;
  name: string | undefined;
  hasWidth: boolean;
  hasPrecision: boolean;
}

/** Reads a string for Ruby's `format`: arguments in order, by number (`%1$s`), or by name (`%<name>d`, `%{name}`). */
export function parseRubyFormat(text: string): RubyArguments | string {
  const list = new RubyArgumentList();
  for (let at = text.indexOf('%'); at !== -1; at = text.indexOf('%', part.lastIndex)) {
    const problem = readDirective(text, at, list);
    if (problem !== undefined) return problem;
  }
  return list.arguments();
}

/** Reads to behind the directive, where `part.lastIndex` then stands; what is wrong with it, or undefined. */
function readDirective(text: string, at: number, list: RubyArgumentList): string | undefined {
  const directive: Directive = { number: undefined, name: undefined, hasWidth: false, hasPrecision: false };
  part.lastIndex = at + 1;
  for (;;) {
    const match = part.exec(text);
    if (match === null) return `${quoteText(text.slice(at, at + 10))} is not a directive`;
    const [all] = match;
    const type =
      letters.find(([known]) => known.includes(all))?.[1] ?? (match[5] === undefined ? undefined : 'string');
    const problem = addPart(match, directive, list);
    if (problem !== undefined) return problem;
    if (type === 'none') return undefined;
    if (type !== undefined) return list.add(directive, type);
    if (/^[A-Za-z]/.test(all)) return `${quoteText(text.slice(at, part.lastIndex))} is not a directive`;
  }
}

function addPart(match: RegExpExecArray, directive: Directive, list: RubyArgumentList): string | undefined {
  const [all, number, widthNumber, precisionNumber, name = match[5]] = match;
  if (name !== undefined) return addName(name, directive, list);
  if (number !== undefined) return addNumber(Number(number), directive, list);
  const first = all[0] ?? '';
  if (first === '.') {
    if (directive.hasPrecision) return 'a precision is given twice';
    directive.hasPrecision = true;
    return all[1] === '*' ? list.addStar(directive, precisionNumber) : undefined;
  }
  if (' #+-0'.includes(first)) {
    return directive.hasWidth || directive.hasPrecision
      ? 'a flag stands behind the width or the precision'
      : undefined;
  }
  if (first !== '*' && !/\d/.test(first)) return undefined;
  if (directive.hasWidth) return 'a width is given twice';
  if (directive.hasPrecision) return 'a width stands behind the precision';
  directive.hasWidth = true;
  return first === '*' ? list.addStar(directive, widthNumber) : undefined;
}

function addName(name: string, directive: Directive, list: RubyArgumentList): string | undefined {
  if (directive.name !== undefined) return 'two names are given for one argument';
  directive.name = name;
  return list.checkKind(directive.number === undefined ? 'named' : 'mixed');
}

function addNumber(number: number, directive: Directive, list: RubyArgumentList): string | undefined {
  if (directive.number !== undefined) return 'two numbers are given for one argument';
  directive.number = number;
  return list.checkKind(directive.name === undefined ? 'numbered' : 'mixed');
}
