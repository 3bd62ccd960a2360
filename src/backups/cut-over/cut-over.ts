import { type Kysely, sql } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { ConnectionSettings } from '../../connection/settings.ts';
import { openDatabase } from '../../database/open-database.ts';
import type { Database } from '../../database/tables.ts';
import { errorCodeOf } from '../../database/translate-database-error.ts';
import { TendError, toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { SecretRegistry } from '../../redact.ts';
import type { PostgresProgram } from '../tools/find-postgres-program.ts';
import { carryQueue, prepareQueue } from './carry-queue.ts';
import type { DatabaseMark } from './database-marks.ts';
import { lockQueue } from './lock-queue.ts';
import { isUnadoptedCopy } from './queue-schema.ts';
import { type Reversible, type SwappedDatabases, swapDatabases } from './swap-databases.ts';

export interface CutOverOptions {
  connection: ConnectionSettings;
  applicationName: string;
  /** The command's own handle on the live database: its one session does the locking and ends the others. */
  db: Kysely<Database>;
  maintenance: Kysely<Database>;
  name: string;
  replacement: string;
  keepAs: string;
  properties: 'copy' | 'keep';
  /** See `swapDatabases`. */
  mark: DatabaseMark;
  meanwhile: Reversible;
  pgDump: PostgresProgram;
  pgRestore: PostgresProgram;
  serverOptions: string;
  clock: Clock;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  log: Log;
  signal: AbortSignal;
}

/**
 * Puts the database `replacement` in the place of `name`, the present one being kept as `keepAs`, and carries the
 * live queue over: writing to the queue waits while its rows are copied, then everybody is sent away, then both names
 * change at once. The same function with the names exchanged is the way back.
 */
export async function cutOver(options: CutOverOptions): Promise<SwappedDatabases> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await cutOverOnce(options);
    } catch (error) {
      await undoMeanwhile(options);
      // A session that does not end within PostgreSQL's five seconds (a slow disk, a loaded machine): nothing has
      // changed, and everything can be done again.
      if (errorCodeOf(error) !== '55006') throw error;
      const still = await findSessions(options.maintenance, options.name);
      if (attempt === tries || options.signal.aborted) throw stillInUse(options.name, still, error);
      options.log.warn(`Database "${options.name}" is still in use (${still}); trying again.`);
    }
  }
}

const tries = 3;

async function cutOverOnce(options: CutOverOptions): Promise<SwappedDatabases> {
  const { db, connection, replacement, applicationName, signal } = options;
  await using restored = openDatabase({
    connection: { ...connection, database: replacement },
    applicationName,
    statementTimeoutMs: 0,
  });
  const what = await prepareQueue({ live: db, restored });
  return await db.connection().execute(async (session) => {
    try {
      await sql`begin`.execute(session);
      await sql`set local idle_in_transaction_session_timeout = 0`.execute(session);
      if (what !== 'nothing') {
        await lockQueue(session, options.log);
        const to = { name: replacement, db: restored };
        const finalName = (await isUnadoptedCopy(session)) ? undefined : options.name;
        await carryQueue({ ...options, from: options.name, to, finalName, what });
      }
      await restored.destroy();
      signal.throwIfAborted();
      return await swapDatabases({ ...options, session });
    } finally {
      // After a swap the session is gone, and this fails as it should.
      await sql`rollback`.execute(session).catch(() => undefined);
    }
  });
}

/** What changed with names that stayed as they were goes back. A connection may have broken at COMMIT: then they have not. */
async function undoMeanwhile({ maintenance, name, keepAs, meanwhile, log }: CutOverOptions): Promise<void> {
  try {
    if ((await stateOfCutOver(maintenance, { name, keepAs })) === 'before') await meanwhile.undo();
  } catch (error) {
    log.warn(`What changes with database "${name}" may have changed without it: ${toError(error).message}`);
  }
}

/** Who is connected, for a message: `client backend 311 psql active, …`. */
async function findSessions(maintenance: Kysely<Database>, name: string): Promise<string> {
  const { rows } = await sql<{ who: string }>`
    select concat_ws(' ', backend_type, pid, nullif(application_name, ''), state, wait_event) as who
      from pg_catalog.pg_stat_activity where datname = ${name} order by backend_start`.execute(maintenance);
  return rows.length === 0 ? 'by sessions that have ended since' : rows.map(({ who }) => who).join(', ');
}

function stillInUse(name: string, sessions: string, cause: unknown): TendError {
  return new TendError(
    'DATABASE_BUSY',
    `Database "${name}" is not replaced: sessions of it do not end (${sessions}).`,
    {
      cause,
      hint: 'Stop what holds them and restore again; nothing was changed.',
    },
  );
}

/**
 * Which state a cut-over has left: needed where its end is unknown, as after a `kill -9` or a connection that broke at
 * COMMIT. Told by the kept name, which is unique to the restore. `missing`: the old database is there and none has
 * the live name, which no cut-over leaves.
 */
export async function stateOfCutOver(
  maintenance: Kysely<Database>,
  names: { name: string; keepAs: string },
): Promise<'before' | 'after' | 'missing'> {
  const { rows } = await sql<{ name: string }>`
    select datname as name from pg_catalog.pg_database where datname in (${names.name}, ${names.keepAs})`.execute(
    maintenance,
  );
  const present = new Set(rows.map(({ name }) => name));
  if (!present.has(names.keepAs)) return 'before';
  return present.has(names.name) ? 'after' : 'missing';
}
