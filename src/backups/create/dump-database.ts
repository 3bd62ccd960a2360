import { type Kysely, sql } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { SecretRegistry } from '../../redact.ts';
import { type Compression, compressorName } from '../parts/compression.ts';
import type { BytesReport } from '../parts/report-bytes.ts';
import { writePart } from '../parts/write-part.ts';
import { databaseFacts, type RecordedFacts } from '../sets/database-facts.ts';
import type { ManifestPart, SequenceValues, TableRows } from '../sets/manifest.ts';
import type { PostgresProgram } from '../tools/find-postgres-program.ts';
import { runPostgresTool } from '../tools/run-postgres-tool.ts';
import { withoutChatter } from '../tools/tool-log.ts';
import { countRows } from './count-rows.ts';
import { explainLockTimeout } from './explain-lock-timeout.ts';
import { readSequences, sequenceRanges } from './sequence-values.ts';

export interface DumpDatabaseOptions {
  db: Kysely<Database>;
  /** PG* variables that lead pg_dump to the same database. */
  connectionEnv: Record<string, string>;
  pgDump: PostgresProgram;
  /** The set that is being made. */
  directory: string;
  compression: Compression;
  /** See `writePart`. */
  watcher?: BytesReport | undefined;
  /** See `writePart`. */
  recipients: readonly string[];
  /** How long rows may be counted: the one session is not free for the heartbeat meanwhile. */
  countBudgetMs: number;
  /** How long pg_dump waits for the lock of a table, and how long it may write nothing. */
  limits: { lockWaitMs: number; silenceMs: number };
  clock: Clock;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  log: Log;
  signal: AbortSignal;
}

export interface DatabaseDump {
  facts: RecordedFacts;
  tables: TableRows[];
  sequences: SequenceValues[];
  part: ManifestPart;
  compressor: string;
}

/**
 * Writes the whole connected database to one file, in one pass and constant memory, and counts its rows in the very
 * snapshot that is dumped.
 *
 * Our session exports the snapshot. It is needed until pg_dump has taken the snapshot over and the rows are counted;
 * then it is given back, and while the bulk is written only pg_dump holds one. Counting begins when pg_dump has its
 * locks: before that, it could wait behind somebody's `ALTER TABLE`, where a stop signal does not reach it.
 */
export async function dumpDatabase(options: DumpDatabaseOptions): Promise<DatabaseDump> {
  const { db, clock, compression, env, countBudgetMs } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  let dump: StartedDump | undefined;
  try {
    const counted = await db
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async (transaction) => {
        await sql`set local idle_in_transaction_session_timeout = 0`.execute(transaction);
        const snapshot = await exportSnapshot(transaction);
        const before = await readSequences(transaction);
        const facts = await databaseFacts(transaction);
        dump = startDump({ ...options, signal, snapshot });
        await Promise.race([dump.hasLocks, dump.part]);
        const tables = await countRows({ db: transaction, budgetMs: countBudgetMs, clock });
        return { before, facts, tables };
      });
    const part = await started(dump).part;
    if (part.uncompressedBytes === 0)
      throw new TendError('TOOL_FAILED', '"pg_dump" ended well, and wrote nothing.');
    const after = await readSequences(db);
    return {
      facts: counted.facts,
      tables: counted.tables,
      sequences: sequenceRanges(counted.before, after),
      part,
      compressor: compressorName(compression, env),
    };
  } catch (error) {
    stop.abort();
    await dump?.part.catch(() => undefined);
    options.signal.throwIfAborted();
    throw await explainLockTimeout(error, { db, ...options.limits }).catch(() => error);
  }
}

interface StartedDump {
  /** Resolves when pg_dump has the snapshot, and a lock on every table. */
  hasLocks: Promise<void>;
  part: Promise<ManifestPart>;
}

function startDump(options: DumpDatabaseOptions & { snapshot: string }): StartedDump {
  const { connectionEnv, pgDump, limits, env, secrets, log, snapshot } = options;
  const hasLocks = Promise.withResolvers<void>();
  const args = [
    '--format=custom',
    '--compress=0',
    `--snapshot=${snapshot}`,
    `--lock-wait-timeout=${limits.lockWaitMs}`,
    '--no-password',
    '--verbose',
  ];
  const part = writePart({
    ...options,
    name: 'database.dump',
    holds: 'database',
    produce: async (stdout, signal) =>
      await runPostgresTool({
        file: pgDump.path,
        args,
        baseEnv: env,
        env: connectionEnv,
        stdout,
        silenceMs: limits.silenceMs,
        secrets,
        log: watchForLocks(withoutChatter(log), hasLocks.resolve),
        signal,
      }),
  });
  part.catch(() => undefined); // awaited later; until then a failure is not unhandled
  return { hasLocks: hasLocks.promise, part };
}

/** With --verbose pg_dump names each step it begins; it locks the tables while it reads them (pg_dump.c, getTables). */
function watchForLocks(log: Log, onLocks: () => void): Log {
  let isReadingTables = false;
  return {
    ...log,
    debug(line) {
      if (isReadingTables) onLocks();
      isReadingTables ||= line.includes('reading user-defined tables');
      log.debug(line);
    },
  };
}

async function exportSnapshot(db: Kysely<Database>): Promise<string> {
  const { rows } = await sql<{ id: string }>`select pg_catalog.pg_export_snapshot() as id`.execute(db);
  return rows[0]?.id ?? '';
}

/** The callback of the transaction has run by then, which the flow analysis does not see. */
function started(dump: StartedDump | undefined): StartedDump {
  if (dump === undefined) throw new Error('The dump was not started.');
  return dump;
}
