import * as v from 'valibot';
import { parseDuration } from '../duration.ts';
import { parsePercent } from '../percent.ts';

/** The types of settings that every section of tend.toml is made of, each with what it says when it is something else. */
export const text = v.pipe(v.string('a string was expected'), v.nonEmpty('an empty string is not allowed'));
export const textList = v.array(text, 'a list of strings was expected');

/** A program with its arguments, as a list: never a shell line. */
export const argv = v.pipe(
  v.array(text, 'a list of strings was expected: ["program", "argument"]'),
  v.minLength(1, 'a program is missing: ["program", "argument"]'),
);

export const duration = v.pipe(
  v.string('a duration such as "90s", "10m" or "7d" was expected'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const ms = parseDuration(dataset.value);
    if (ms !== undefined) return ms;
    addIssue({ message: `a duration such as "90s", "10m" or "7d" was expected, not "${dataset.value}"` });
    return NEVER;
  }),
);

export const percent = v.pipe(
  v.string('a percentage such as "5%" was expected'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const number = parsePercent(dataset.value);
    if (number !== undefined) return number;
    addIssue({ message: `a percentage such as "5%" was expected, not "${dataset.value}"` });
    return NEVER;
  }),
);

export function integer(low: number, high: number) {
  const message = `a whole number from ${low} to ${high} was expected`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(low, message), v.maxValue(high, message));
}

export function oneOf<const T extends readonly string[]>(...values: T) {
  return v.picklist(values, `one of ${values.map((value) => `"${value}"`).join(', ')} was expected`);
}

export function section<const T extends v.ObjectEntries>(entries: T) {
  return v.strictObject(entries, (issue) =>
    issue.expected === 'never' ? 'this key is not known' : `a table was expected`,
  );
}
