import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { ArchiveEntry } from '../archive/archive-toc.ts';
import type { Witness } from '../cut-over/find-restores.ts';

/**
 * A table that a restore in place makes anew in its transaction, with the identity that it has before: whoever comes later
 * sees by it whether that transaction was committed. Null where the set has no table.
 */
export async function findWitness(
  live: Kysely<Database>,
  entries: readonly ArchiveEntry[],
): Promise<Witness | null> {
  const table = entries.find(({ kind }) => kind === 'TABLE');
  if (table === undefined) return null;
  const { schema, name } = table;
  return { schema, name, oid: await oidOf(live, { schema, name }) };
}

/** Whether the transaction was committed; without a witness nobody knows, and the application is looked at to be sure. */
export async function wasReplaced(live: Kysely<Database>, witness: Witness | null): Promise<boolean> {
  if (witness === null) return true;
  const oid = await oidOf(live, witness);
  return oid !== null && oid !== witness.oid;
}

async function oidOf(live: Kysely<Database>, { schema, name }: Omit<Witness, 'oid'>): Promise<number | null> {
  const { rows } = await sql<{ oid: number }>`
    select c.oid::int8::float8 as oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${schema} and c.relname = ${name}`.execute(live);
  return rows[0]?.oid ?? null;
}
