import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';
import { TendError, toError } from '../errors.ts';
import type { Log } from '../log.ts';

/** How the last run left a catalog. */
export interface CatalogState {
  path: string;
  /** Fingerprint of the .po file and of the options it was compiled with. */
  sourceSha256: string;
  /** Of the .mo file that was installed; null after a failure. */
  outputSha256: string | null;
  result: 'installed' | 'failed';
  /** The first thing wrong, after a failure. */
  message: string | null;
}

/** Where results are remembered: by host, since each host has its own files. */
export interface CatalogStateStore {
  load(): Promise<ReadonlyMap<string, CatalogState>>;
  save(states: readonly CatalogState[]): Promise<void>;
}

/** Rows written by one statement: far under PostgreSQL's 65,535 parameters. */
const batch = 1000;

/** Results in table `tend.catalogs`. */
export function catalogStateInDatabase(db: Kysely<Database>, host: string): CatalogStateStore {
  return {
    async load() {
      const rows = await db
        .selectFrom('tend.catalogs')
        .select(['path', 'source_sha256', 'output_sha256', 'result', 'message'])
        .where('host', '=', host)
        .execute();
      return new Map(
        rows.map((row) => [
          row.path,
          {
            path: row.path,
            sourceSha256: row.source_sha256,
            outputSha256: row.output_sha256,
            result: row.result,
            message: row.message,
          },
        ]),
      );
    },
    async save(states) {
      for (let from = 0; from < states.length; from += batch) {
        await saveBatch(db, host, states.slice(from, from + batch));
      }
    },
  };
}

async function saveBatch(db: Kysely<Database>, host: string, states: readonly CatalogState[]): Promise<void> {
  const rows = states.map((state) => ({
    host,
    path: state.path,
    source_sha256: state.sourceSha256,
    output_sha256: state.outputSha256,
    result: state.result,
    message: state.message,
  }));
  await db
    .insertInto('tend.catalogs')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['host', 'path']).doUpdateSet((eb) => ({
        source_sha256: eb.ref('excluded.source_sha256'),
        output_sha256: eb.ref('excluded.output_sha256'),
        result: eb.ref('excluded.result'),
        message: eb.ref('excluded.message'),
        checked_at: eb.fn<Date>('now', []),
      })),
    )
    .execute();
}

/**
 * The state of the catalogs in the application's database, or undefined where there is none: CI compiles without a
 * database, and one that is down must not keep the translations from being compiled.
 */
export async function findCatalogState(options: {
  openDatabase: () => Promise<Kysely<Database>>;
  host: string;
  log: Log;
}): Promise<CatalogStateStore | undefined> {
  try {
    return catalogStateInDatabase(await options.openDatabase(), options.host);
  } catch (error) {
    if (error instanceof TendError && error.code === 'DATABASE_NOT_CONFIGURED') return undefined;
    options.log.warn(`The state of the catalogs is not known: ${toError(error).message}`);
    return undefined;
  }
}
