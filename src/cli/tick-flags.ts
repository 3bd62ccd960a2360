import { parseArgs } from 'node:util';
import { parseDuration } from '../duration.ts';
import { defaultGlobalFlags, type GlobalFlags } from './global-flags.ts';

/** The flags of `run-due-tasks`, checked. */
export interface TickFlags {
  limit: number;
  concurrency: number | undefined;
  deadlineMs: number | undefined;
  queues: string[] | undefined;
  kinds: string[] | undefined;
  taskId: number | undefined;
  isDrain: boolean;
  isDryRun: boolean;
}

const options = {
  limit: { type: 'string' },
  concurrency: { type: 'string' },
  deadline: { type: 'string' },
  queue: { type: 'string', multiple: true },
  kind: { type: 'string', multiple: true },
  task: { type: 'string' },
  drain: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  json: { type: 'boolean' },
  config: { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
  verbose: { type: 'boolean', short: 'v', multiple: true },
  'no-color': { type: 'boolean' },
  'log-format': { type: 'string' },
} as const;

/**
 * Reads the words after `run-due-tasks` without the command framework, which costs as much as a whole idle tick.
 * Undefined for anything out of the ordinary (help, an unknown flag, a bad value): the framework then parses the same
 * words again and says what is wrong.
 */
export function parseTickFlags(
  argv: readonly string[],
): { tick: TickFlags; global: GlobalFlags } | undefined {
  try {
    const { values } = parseArgs({ args: [...argv], options, allowPositionals: false, strict: true });
    const limit = positive(values.limit);
    const concurrency = positive(values.concurrency);
    const taskId = positive(values.task);
    const deadlineMs = values.deadline === undefined ? undefined : parseDuration(values.deadline);
    const logFormat = values['log-format'];
    if (logFormat !== undefined && logFormat !== 'text' && logFormat !== 'json') return undefined;
    const isBad =
      [limit, concurrency, taskId].includes(null) ||
      (concurrency ?? 1) > 200 ||
      (values.deadline !== undefined && deadlineMs === undefined) ||
      (values.quiet && values.verbose !== undefined) ||
      (values.drain && values.deadline !== undefined);
    if (isBad) return undefined;
    return {
      tick: {
        limit: limit ?? Number.POSITIVE_INFINITY,
        concurrency: concurrency ?? undefined,
        deadlineMs,
        queues: values.queue,
        kinds: values.kind,
        taskId: taskId ?? undefined,
        isDrain: values.drain ?? false,
        isDryRun: values['dry-run'] ?? false,
      },
      global: {
        ...defaultGlobalFlags,
        json: values.json ?? false,
        config: values.config,
        quiet: values.quiet ?? false,
        verbosity: values.verbose?.length ?? 0,
        noColor: values['no-color'] ?? false,
        logFormat,
      },
    };
  } catch {
    return undefined;
  }
}

/** Of fifteen digits: more than any task id or limit, and whole in JavaScript and in PostgreSQL's bigint. */
export const largestNumber = 999_999_999_999_999;

/** Undefined when not given, null when it is no whole number from 1. */
function positive(value: string | undefined): number | undefined | null {
  if (value === undefined) return undefined;
  return /^[1-9]\d{0,14}$/.test(value) ? Number(value) : null;
}
