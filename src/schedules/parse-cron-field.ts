import type { CronField, CronProblem } from './cron-fields.ts';
import { quotePart } from './quote-part.ts';

/** A step this long, and any longer one, reaches past the end of every field. */
const longestStep = 9999;

/**
 * The values that one field of a cron expression lists: `*`, values, ranges, steps on `*` and on ranges, commas
 * between them (crontab(5)). cron(8) itself takes some more by accident, such as `*5` for `*` and `50-10` for never:
 * those are refused here.
 */
export function parseCronField(text: string, field: CronField): { values: Set<number> } | CronProblem {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    if (part === '') return refuse(field, text, 'has an empty part: write values between commas');
    const range = parsePart(part, field);
    if ('problem' in range) return range;
    for (let value = range.from; value <= range.to; value += range.step) values.add(value);
  }
  return { values };
}

interface Range {
  from: number;
  to: number;
  step: number;
}

function parsePart(part: string, field: CronField): Range | CronProblem {
  const [base, stepText] = splitAt(part, '/');
  const step = readStep(stepText);
  if (step === 0) return refuse(field, part, 'needs a whole number from 1 on after "/"');
  if (base === '*') return { from: field.low, to: field.high, step };
  const [first, last] = splitAt(base, '-');
  const from = readValue(first, part, field);
  if (typeof from !== 'number') return from;
  if (last === undefined) {
    if (stepText === undefined) return { from, to: from, step };
    return refuse(field, part, `steps from a single value: write "${from}-${field.high}/${step}"`);
  }
  const to = readValue(last, part, field);
  if (typeof to !== 'number') return to;
  if (from <= to) return { from, to, step };
  return refuse(field, part, `runs backwards: write "${from}-${field.high},${field.low}-${to}"`);
}

/** The number after a slash; 1 where there is none, 0 where it is no step. */
function readStep(text: string | undefined): number {
  if (text === undefined) return 1;
  return /^[0-9]+$/.test(text) ? Math.min(Number(text), longestStep) : 0;
}

function readValue(word: string, part: string, field: CronField): number | CronProblem {
  if (/^[0-9]+$/.test(word)) {
    const value = Number(word);
    if (value >= field.low && value <= field.high) return value;
  }
  const name = field.names.indexOf(word.toLowerCase());
  if (name >= 0) return field.low + name;
  const place = word === part ? '' : ` in ${quotePart(part)}`;
  return refuse(field, word, `is not ${field.allowed}`, place);
}

function refuse(field: CronField, part: string, what: string, place = ''): CronProblem {
  return { problem: `${field.name}: ${quotePart(part)}${place} ${what}` };
}

function splitAt(text: string, separator: string): [string, string | undefined] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}
