import { DivisionByZero, type PluralExpression, parsePluralExpression } from './plural-expression.ts';
import { cutText, quoteText } from './quote-text.ts';

/** What the `Plural-Forms` header says, evaluated. */
export interface PluralForms {
  count: number;
  /** For each form, whether it is used often (five times or more among 0..1000); others may leave the number out. */
  isOften: readonly boolean[];
  /** How many of the numbers `from..to` take the form `index`. */
  countUses(index: number, from: number, to: number): number;
}

/** As gettext does, and as nearly all languages need: nothing changes beyond. */
const lastNumber = 1000;
const often = 5;
/** No language has more; a larger number is a mistake. */
const maxForms = 6;
const cache = new Map<string, PluralForms | string>();
const maxCached = 1000;

/**
 * Reads `nplurals=N; plural=EXPRESSION;` and asks the expression about 0..1000.
 *
 * @returns what is wrong with it, as text, when there is something: not this form (Python's gettext refuses all
 *   others), a division by zero, a form that does not exist.
 */
export function readPluralForms(value: string): PluralForms | string {
  const known = cache.get(value);
  if (known !== undefined) return known;
  const result = parse(value);
  if (cache.size >= maxCached) cache.clear();
  cache.set(value, result);
  return result;
}

function parse(value: string): PluralForms | string {
  const match = /^nplurals=\s*(\d+)\s*;\s*plural=([^;]*)(?:;.*)?$/s.exec(value);
  if (match === null) return 'Plural-Forms is not of the form "nplurals=NUMBER; plural=EXPRESSION;"';
  const count = Number(match[1]);
  if (count < 1 || count > maxForms)
    return `Plural-Forms: nplurals=${cutText(match[1] ?? '')} is not from 1 to ${maxForms}`;
  const text = (match[2] ?? '').trim();
  const expression = parsePluralExpression(text);
  if (expression === undefined) return `Plural-Forms: ${quoteText(text)} is not a plural expression`;
  return evaluate(count, expression);
}

function evaluate(count: number, expression: PluralExpression): PluralForms | string {
  const forms: number[] = [];
  for (let n = 0; n <= lastNumber; n += 1) {
    const form = formOf(expression, n);
    if (form === undefined) return `Plural-Forms: the expression divides by zero for n = ${n}`;
    if (form >= BigInt(count)) {
      const shown = BigInt.asIntN(64, form);
      return `Plural-Forms: nplurals=${count}, but the expression gives form ${shown} for n = ${n}`;
    }
    forms.push(Number(form));
  }
  const countUses = (index: number, from: number, to: number) =>
    forms.slice(from, to + 1).filter((form) => form === index).length;
  const isOften = Array.from({ length: count }, (_, index) => countUses(index, 0, lastNumber) >= often);
  return { count, isOften, countUses };
}

function formOf(expression: PluralExpression, n: number): bigint | undefined {
  try {
    return expression(BigInt(n));
  } catch (error) {
    if (error instanceof DivisionByZero) return undefined;
    throw error;
  }
}
