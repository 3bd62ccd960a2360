import * as v from 'valibot';
import { TendError } from '../errors.ts';

/** A task to be enqueued, after its names and ranges were checked; its payload is a copy. */
export type CheckedFollowUp = v.InferOutput<typeof followUpSchema>;

const longestDelayMs = 366 * 24 * 3_600_000;

function integer(low: number, high: number) {
  const message = `a whole number from ${low} to ${high} was expected`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(low, message), v.maxValue(high, message));
}

function text(longest: number) {
  const message = `a text of 1 to ${longest} bytes was expected`;
  return v.pipe(
    v.string(message),
    v.nonEmpty(message),
    v.maxBytes(longest, message),
    v.check(isStorable, unstorable),
  );
}

/** Text and jsonb of PostgreSQL hold neither. */
const unstorable = 'it holds U+0000 or half of a surrogate pair, which cannot be stored';
const isStorable = (given: string) => !given.includes('\0') && given.isWellFormed();

const object = 'a JSON object was expected';
const delay = `a number of milliseconds from 0 to ${longestDelayMs} was expected`;
const kind = 'a kind is named with a-z, 0-9, ".", "_", ":", "-", at most 63';
const host =
  'a host name of 1 to 200 characters without spaces, ":" or "*" was expected, or "*" for every host';

/** The rules of `tend.enqueue`; `delayMs` counts by the database's clock, as `run_at` does. */
const followUpSchema = v.strictObject(
  {
    kind: v.pipe(v.string(kind), v.regex(/^[a-z0-9][a-z0-9._:-]{0,62}$/, kind)),
    payload: v.pipe(
      v.optional(v.custom<Record<string, unknown>>(isRecord, object), {}),
      v.rawTransform(copyAsJson),
    ),
    delayMs: v.optional(v.pipe(v.number(delay), v.minValue(0, delay), v.maxValue(longestDelayMs, delay))),
    queue: v.optional(text(200)),
    priority: v.optional(integer(-32_768, 32_767)),
    uniqueKey: v.optional(text(500)),
    mutex: v.optional(text(200)),
    host: v.optional(
      v.pipe(v.string(host), v.regex(/^([^\s:*]{1,200}|\*)$/u, host), v.check(isStorable, unstorable)),
    ),
    maxAttempts: v.optional(integer(1, 100)),
  },
  (issue) =>
    issue.expected === 'never' ? 'this key is not known' : 'an object { kind, payload, … } was expected',
);

/**
 * Checks a task that another one wants enqueued, at once and by the rules of `tend.enqueue`, so that the mistake shows
 * where it is made and not when the attempt is over.
 *
 * @throws TendError PAYLOAD_INVALID naming every bad field.
 */
export function checkFollowUp(given: unknown): CheckedFollowUp {
  const checked = v.safeParse(followUpSchema, given);
  if (checked.success) return checked.output;
  const issues = checked.issues.map((issue) => `${v.getDotPath(issue) ?? 'task'}: ${issue.message}`);
  throw new TendError('PAYLOAD_INVALID', `A follow-up task cannot be enqueued: ${issues.join('; ')}`, {
    isPermanent: true,
  });
}

type PayloadContext = v.RawTransformContext<Record<string, unknown>>;

/** As JSON at this moment: what the caller does to its object afterwards changes nothing. */
function copyAsJson({ dataset, addIssue, NEVER }: PayloadContext): Record<string, unknown> {
  try {
    const json = JSON.stringify(dataset.value);
    const copy: unknown = json === undefined ? undefined : JSON.parse(json);
    if (!isRecord(copy)) addIssue({ message: object });
    else if (holdsUnstorable(json)) addIssue({ message: unstorable });
    else return copy;
  } catch (error) {
    addIssue({
      message: `it cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
  return NEVER;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON.stringify escapes them, and nothing else, as \u0000 and \udXXX; a backslash of the text itself is doubled. */
function holdsUnstorable(json: string): boolean {
  return /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(json);
}
