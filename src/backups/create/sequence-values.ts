import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { SequenceValues } from '../sets/manifest.ts';

interface SequenceValue {
  schema: string;
  name: string;
  /** As text, since it may be beyond what a number holds; null when the sequence was never used. */
  value: string | null;
}

/** The present value of every sequence; sequences are outside of transactions and snapshots. */
export async function readSequences(db: Kysely<Database>): Promise<SequenceValue[]> {
  const { rows } = await sql<SequenceValue>`
    select schemaname as schema, sequencename as name, last_value::text as value
      from pg_catalog.pg_sequences where schemaname !~ '^pg_' order by 1, 2`.execute(db);
  return rows;
}

/** Values from before and after a dump, of the sequences that were there all the time. */
export function sequenceRanges(before: SequenceValue[], after: SequenceValue[]): SequenceValues[] {
  const later = new Map(after.map((one) => [key(one), one]));
  return before.flatMap((one) => {
    const then = later.get(key(one));
    return then === undefined
      ? []
      : [{ schema: one.schema, name: one.name, before: one.value, after: then.value }];
  });
}

/** Lines about sequences whose restored value is not one that the dump can have seen. */
export function sequenceDifferences(expected: SequenceValues[], found: SequenceValue[]): string[] {
  const restored = new Map(found.map((one) => [key(one), one]));
  return expected.flatMap((one) => {
    const here = restored.get(key(one));
    const label = `sequence "${one.schema}"."${one.name}"`;
    if (here === undefined) return [`${label} is missing`];
    if (isWithin(here.value, one)) return [];
    return [`${label} stands at ${here.value ?? 'its start'}, expected ${describeRange(one)}`];
  });
}

function isWithin(value: string | null, { before, after }: SequenceValues): boolean {
  if (value === before || value === after) return true;
  // Set back to its start, or used for the first time, while the dump was made: nothing to compare with.
  if (value === null || before === null || after === null) return before !== after;
  const [low, high] = [BigInt(before), BigInt(after)].sort((a, b) => (a < b ? -1 : 1));
  return low !== undefined && high !== undefined && BigInt(value) >= low && BigInt(value) <= high;
}

function describeRange({ before, after }: SequenceValues): string {
  const [from, to] = [before ?? 'its start', after ?? 'its start'];
  return from === to ? from : `${from} to ${to}`;
}

function key({ schema, name }: { schema: string; name: string }): string {
  return JSON.stringify([schema, name]);
}
