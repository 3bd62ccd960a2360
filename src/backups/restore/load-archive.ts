import { type Readable, Transform } from 'node:stream';
import { type Kysely, sql } from 'kysely';
import type { ConnectionSettings } from '../../connection/settings.ts';
import type { Database } from '../../database/tables.ts';
import type { Log } from '../../log.ts';
import type { SecretRegistry } from '../../redact.ts';
import { ArchivePlaces } from '../archive/archive-places.ts';
import type { ArchiveToc } from '../archive/archive-toc.ts';
import { readTocOf } from '../archive/foreign-archive.ts';
import type { Identity } from '../parts/find-identity.ts';
import { readPart } from '../parts/read-part.ts';
import { runTogether } from '../parts/run-together.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import { databasePart } from '../sets/manifest.ts';
import type { PostgresProgram } from '../tools/find-postgres-program.ts';
import { runPostgresTool } from '../tools/run-postgres-tool.ts';
import { withStallLimit } from '../tools/stall-limit.ts';
import { toolEnvironment } from '../tools/tool-environment.ts';
import { withoutChatter } from '../tools/tool-log.ts';
import { watchServer } from '../tools/watch-server.ts';

export interface LoadArchiveOptions {
  set: BackupSet;
  /** Opens an encrypted set. */
  identity?: Identity | undefined;
  /** Where the archive lies unpacked; undefined reads it from the set, which only one worker can do. */
  archivePath?: string | undefined;
  /** How many sessions load at once, from a file. */
  jobs: number;
  connection: ConnectionSettings;
  /** A handle outside of the database, for looking whether the server still works on it. */
  maintenance: Kysely<Database>;
  /** The empty database it goes into. */
  database: string;
  pgRestore: PostgresProgram;
  serverOptions: string;
  /** How long nothing may happen; five minutes unless told. */
  stallLimitMs?: number;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  log: Log;
  signal: AbortSignal;
}

const stallLimitMs = 5 * 60_000;

/**
 * Loads the dump of a set into an empty database with `pg_restore`, which ends at the first error: the database is
 * thrown away then. Never by way of psql, whose meta-commands a dump could contain (CVE-2025-8714).
 * Subscriptions are left out: a restored copy must not begin to receive what the original receives.
 *
 * @returns its table of contents; undefined where it is of a version that is not known here.
 */
export async function loadArchive(options: LoadArchiveOptions): Promise<ArchiveToc | undefined> {
  const { database, maintenance, archivePath } = options;
  const limit = {
    name: 'pg_restore',
    limitMs: options.stallLimitMs ?? stallLimitMs,
    signal: options.signal,
    isBusy: watchServer(maintenance, database),
  };
  return await withStallLimit(limit, async (signal, noteProgress) => {
    const watched = { ...options, signal, log: noting(options.log, noteProgress) };
    if (archivePath === undefined) return await loadStream(watched, noteProgress);
    const { foreign } = options.set;
    // pg_restore knows no other way to read a tar archive than from its beginning to its end.
    const jobs = foreign?.toc.head.format === 'tar' ? 1 : options.jobs;
    await runRestore({ ...watched, args: [`--jobs=${jobs}`, archivePath] });
    return foreign?.toc ?? (await readTocOf(archivePath));
  });
}

async function loadStream(
  options: LoadArchiveOptions,
  noteProgress: () => void,
): Promise<ArchiveToc | undefined> {
  const { set, signal } = options;
  const part = databasePart(set.manifest);
  const places = new ArchivePlaces();
  const archive = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      noteProgress();
      places.note(chunk);
      callback(null, chunk);
    },
  });
  await runTogether({
    signal,
    joints: [archive],
    members: [
      async (stop) => await readPart({ ...options, part, target: archive, signal: stop }),
      async (stop) => await runRestore({ ...options, args: [], input: archive, signal: stop }),
    ],
  });
  places.problem(); // an archive that is shorter than the first look at its beginning is read only now
  return places.toc;
}

async function runRestore(
  options: LoadArchiveOptions & { args: readonly string[]; input?: Readable },
): Promise<void> {
  const { connection, database, pgRestore, env, secrets, log, signal, args, input } = options;
  await runPostgresTool({
    file: pgRestore.path,
    args: [
      '--exit-on-error',
      '--no-subscriptions',
      '--no-password',
      '--verbose',
      databaseArgument(database),
      ...args,
    ],
    baseEnv: env,
    env: toolEnvironment({
      connection,
      database,
      tool: 'pg_restore',
      serverOptions: await forLoading(options),
    }),
    ...(input && { input }),
    secrets,
    log: withoutChatter(log),
    signal,
  });
}

/** What all workers together may take for building indexes. */
const memoryForIndexes = { all: 1024 ** 3, each: 256 * 1024 ** 2 };

/**
 * Nothing loaded here is worth waiting for the disk: the change of the name at the end, which does wait, makes all of it
 * durable. And indexes are built with more memory than the 64 MB that a server gives unless it is told: it is taken only
 * where an index needs it. Options are only given where a server takes them (see `serverOptions`).
 */
async function forLoading({ serverOptions, maintenance, jobs }: LoadArchiveOptions): Promise<string> {
  if (serverOptions === '') return '';
  const { rows } = await sql<{ bytes: number }>`
    select pg_size_bytes(current_setting('maintenance_work_mem'))::int8 as bytes`.execute(maintenance);
  const memory = Math.floor(Math.min(memoryForIndexes.each, memoryForIndexes.all / jobs) / 1024);
  const isLess = Number(rows[0]?.bytes) / 1024 < memory;
  return [
    ...[serverOptions, '-c synchronous_commit=off'],
    ...(isLess ? [`-c maintenance_work_mem=${memory}kB`] : []),
  ].join(' ');
}

function noting(log: Log, noteProgress: () => void): Log {
  return {
    ...log,
    debug(line) {
      noteProgress();
      log.debug(line);
    },
  };
}

/** As a connection string, since a plain name that looks like one would be taken for one. */
export function databaseArgument(database: string): string {
  return `--dbname=dbname='${database.replace(/[\\']/g, '\\$&')}'`;
}
