import { type Kysely, sql } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/tables.ts';
import { errorCodeOf } from '../../database/translate-database-error.ts';
import type { TableRows } from '../sets/manifest.ts';

export interface CountRowsOptions {
  db: Kysely<Database>;
  /**
   * How long counting may take altogether, small tables first; those not counted in time, or locked by somebody, have
   * `rows: null`. Must be called in a transaction then. Without it every table is counted.
   */
  budgetMs?: number;
  clock: Clock;
}

/**
 * Counts the rows of every table that a dump holds rows of: no views, no foreign tables, nothing that belongs to an
 * extension; of partitioned and inherited tables each member for itself.
 */
export async function countRows(options: CountRowsOptions): Promise<TableRows[]> {
  const { db, budgetMs, clock } = options;
  const endMs = budgetMs === undefined ? undefined : clock.monotonicMs() + budgetMs;
  const counted: TableRows[] = [];
  for (const table of await listTables(db)) {
    const rows =
      endMs === undefined
        ? await countTable(db, table)
        : await countWithin(db, table, Math.floor(endMs - clock.monotonicMs()));
    counted.push({ ...table, rows });
  }
  return counted.sort((a, b) => compare(a.schema, b.schema) || compare(a.name, b.name));
}

interface TableName {
  schema: string;
  name: string;
}

async function listTables(db: Kysely<Database>): Promise<TableName[]> {
  const { rows } = await sql<TableName>`
    select n.nspname as schema, c.relname as name
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and c.relpersistence <> 't'
       and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
       and not exists (select from pg_catalog.pg_depend d
         where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
     order by c.relpages, c.oid`.execute(db);
  return rows;
}

/** Null when the time was over, or somebody has the table locked; the surrounding transaction goes on then. */
async function countWithin(db: Kysely<Database>, table: TableName, restMs: number): Promise<number | null> {
  if (restMs <= 0) return null;
  await sql`savepoint counting`.execute(db);
  await sql`select set_config('statement_timeout', ${String(restMs)}, true),
      set_config('lock_timeout', '500', true)`.execute(db);
  try {
    return await countTable(db, table);
  } catch (error) {
    await sql`rollback to savepoint counting`.execute(db);
    if (isTimeout(error)) return null;
    throw error;
  }
}

async function countTable(db: Kysely<Database>, { schema, name }: TableName): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from only ${sql.id(schema, name)}`.execute(db);
  return rows[0]?.count ?? 0;
}

/** A statement or a lock that took too long. */
function isTimeout(error: unknown): boolean {
  return ['57014', '55P03'].includes(errorCodeOf(error) ?? '');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
