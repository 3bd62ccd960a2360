import type { Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { RestoreBackupOptions } from '../restore/restore-options.ts';
import { findPostgresProgram } from '../tools/find-postgres-program.ts';
import type { CutOverOptions } from './cut-over.ts';
import type { RestoreJournal } from './restore-journal.ts';

/** What changing the live database for another one needs, in either direction. */
export interface SwapWork
  extends Pick<
    RestoreBackupOptions,
    | 'app'
    | 'applicationName'
    | 'clock'
    | 'connection'
    | 'db'
    | 'env'
    | 'log'
    | 'progress'
    | 'secrets'
    | 'signal'
    | 'toolsDirectory'
  > {
  journal: RestoreJournal;
  maintenance: Kysely<Database>;
  /** See the function of this name. */
  serverOptions: string;
  serverMajor: number;
}

/** The programs that carry the queue, and the name that the application knows. */
export async function swapTools(
  work: SwapWork,
): Promise<Pick<CutOverOptions, 'name' | 'pgDump' | 'pgRestore'>> {
  const { serverMajor: major, toolsDirectory, env, signal, journal } = work;
  const find = async (name: 'pg_dump' | 'pg_restore') =>
    await findPostgresProgram({ name, major, toolsDirectory, env, signal });
  return {
    name: journal.record.facts.database,
    pgDump: await find('pg_dump'),
    pgRestore: await find('pg_restore'),
  };
}

/** For what must come to its end once it was begun. */
export function unstoppable(): AbortSignal {
  return new AbortController().signal;
}
