import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { parse } from 'valibot';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config/schema.ts';
import type { ConnectionSettings } from '../../connection/settings.ts';
import type { Database } from '../../database/tables.ts';
import type { Log, Progress } from '../../log.ts';
import type { SecretRegistry } from '../../redact.ts';
import { syncPath } from '../../sync-path.ts';
import { parseCompression } from '../parts/compression.ts';
import { encryptorName } from '../parts/encryption.ts';
import { isFileSystemError, unwritable } from '../parts/unwritable.ts';
import { type BackupSet, backupDirectory, filesIn, listBackups } from '../sets/backup-directory.ts';
import { newBackupId } from '../sets/backup-id.ts';
import { lockBackups } from '../sets/backup-lock.ts';
import { databaseSize, serverVersion } from '../sets/database-facts.ts';
import { type Manifest, type ManifestPart, manifestSchema, type RecordedFiles } from '../sets/manifest.ts';
import { partialSuffix, sweepPartials } from '../sets/sweep-partials.ts';
import { findPostgresProgram } from '../tools/find-postgres-program.ts';
import { isDirect, serverOptions, toolEnvironment } from '../tools/tool-environment.ts';
import { backUpFiles, type PreparedFiles, prepareFiles } from './back-up-files.ts';
import { type DatabaseDump, dumpDatabase } from './dump-database.ts';
import { dumpGlobals } from './dump-globals.ts';
import { type ExpectedBytes, expectedBytes } from './expected-bytes.ts';
import { requireSpace } from './require-space.ts';

export interface CreateBackupOptions {
  config: Config;
  baseDirectory: string;
  connection: ConnectionSettings;
  db: Kysely<Database>;
  label: string | null;
  /** The task this is; null without a queue. */
  taskId: number | null;
  includeFiles: 'yes' | 'no';
  /** With how many threads the `zstd` program compresses; one unless told. */
  jobs?: number | undefined;
  /** Name of this host, for the manifest. */
  host: string;
  clock: Clock;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  log: Log;
  progress: Progress;
  signal: AbortSignal;
}

/** Rows are counted for half a lease at most, and for less than a statement of the session may take. */
const longestCountMs = 25_000;

/**
 * Takes one backup set. It appears in the backup directory under its id only when it is complete and on disk; whatever
 * ends it before leaves at most a directory `<id>.partial`, which the next backup removes.
 *
 * The queue (schema `tend`) is part of the dump like everything else: a copy in another database needs it. That a
 * restore in place does not rewind the queue is the restore's business.
 *
 * @throws TendError BACKUP_BUSY, OUTPUT_UNWRITABLE (also before it begins, where the space will not do), INPUT_MISSING,
 *   TOOL_NOT_FOUND, TOOL_FAILED, and those of the connection.
 */
export async function createBackup(options: CreateBackupOptions): Promise<BackupSet> {
  const { config, clock, log } = options;
  const directory = backupDirectory(config, options.baseDirectory);
  using _lock = await lockBackups(directory);
  await sweepPartials(directory, log);
  const prepared = await prepareFiles({ ...options, ...config, backupDirectory: directory });
  const expected = await requireRoom({ ...options, directory, prepared });
  const startedAt = clock.now();
  const id = await unusedId(directory, startedAt);
  const partial = join(directory, id + partialSuffix);
  try {
    await mkdir(partial, { mode: 0o700 });
    const manifest = await writeSet({ ...options, id, startedAt, partial, prepared, expected });
    await moveIntoPlace(partial, join(directory, id));
    log.info(`Backup set "${id}" is complete.`);
    const path = join(directory, id);
    return { id, path, manifest, files: filesIn(path) };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw isFileSystemError(error) ? unwritable(directory, error) : error;
  }
}

/** The clock may have gone back to a second in which there was a backup already. */
async function unusedId(directory: string, now: Date): Promise<string> {
  const id = newBackupId(now);
  return (await readdir(directory)).includes(id) ? await unusedId(directory, now) : id;
}

/** Refuses where there is no room, and says how large the set is going to be. */
async function requireRoom(
  options: CreateBackupOptions & { directory: string; prepared: PreparedFiles | undefined },
): Promise<ExpectedBytes> {
  const { directory, connection, config, db, prepared } = options;
  const { sets } = await listBackups(directory);
  const newest = sets.find(({ manifest }) => manifest.database.name === connection.database);
  const databaseBytes = await databaseSize(db);
  const known = {
    databaseBytes,
    archiveBytes: prepared?.measured.archiveBytes ?? 0,
    compression: parseCompression(config.backup.compression, options.jobs),
    newest,
  };
  await requireSpace({ ...known, directory });
  return expectedBytes(known, 1);
}

async function writeSet(
  options: CreateBackupOptions & {
    id: string;
    startedAt: Date;
    partial: string;
    prepared: PreparedFiles | undefined;
    expected: ExpectedBytes;
  },
): Promise<Manifest> {
  const { config, connection, db, env, signal, partial, prepared, progress, expected } = options;
  const { major } = await serverVersion(db);
  const toolsDirectory = config.backup.tools_directory;
  const pgDump = await findPostgresProgram({ name: 'pg_dump', major, toolsDirectory, env, signal });
  const compression = parseCompression(config.backup.compression, options.jobs);

  const connectionOptions = await serverOptions(db, connection);
  const dump = await progress.step(`Dump database "${connection.database}"`, async (report) => {
    return await dumpDatabase({
      ...options,
      watcher: { report, expectedBytes: expected.dump },
      pgDump,
      compression,
      recipients: config.backup.encrypt_to,
      connectionEnv: toolEnvironment({
        connection,
        tool: 'pg_dump',
        serverOptions: connectionOptions,
      }),
      directory: partial,
      limits: { lockWaitMs: config.backup.lock_wait, silenceMs: config.backup.silence },
      countBudgetMs: Math.min(config.tasks.lease / 2, longestCountMs),
    });
  });
  const globals = await dumpGlobals({
    ...options,
    isDirect: await isDirect(db, connection),
    ...{ database: connection.database, serverMajor: major, toolsDirectory, compression, directory: partial },
    recipients: config.backup.encrypt_to,
    connectionEnv: toolEnvironment({ connection, tool: 'pg_dumpall', serverOptions: connectionOptions }),
    silenceMs: config.backup.silence,
  });
  // After the database: a file that a row names is there, unless it was removed since.
  const into = { directory: partial, expectedBytes: expected.files };
  const packed = prepared && (await backUpFiles({ ...options, ...config, prepared, ...into }));
  const manifest = describeSet({ ...options, dump, globals, packed, pgDumpVersion: pgDump.version });
  await writeManifest(partial, manifest);
  return manifest;
}

function describeSet(
  options: CreateBackupOptions & {
    id: string;
    startedAt: Date;
    dump: DatabaseDump;
    globals: { part: ManifestPart } | { note: string };
    packed: { part: ManifestPart; files: RecordedFiles } | undefined;
    pgDumpVersion: string;
  },
): Manifest {
  const { config, env, id, label, taskId, host, startedAt, clock, dump, globals, packed, pgDumpVersion } =
    options;
  const { database, extensions, roles, largeObjects, snapshot } = dump.facts;
  const finishedAt = clock.now();
  return {
    format: 1,
    id,
    label,
    taskId,
    host,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    durationMs: Math.max(0, finishedAt.getTime() - startedAt.getTime()),
    tools: {
      pgDump: pgDumpVersion,
      compressor: dump.compressor,
      encryptor: encryptorName(config.backup.encrypt_to, env),
    },
    snapshot,
    database,
    extensions,
    roles,
    largeObjects,
    tables: dump.tables,
    sequences: dump.sequences,
    recipients: [...new Set(config.backup.encrypt_to)],
    ...('note' in globals && { notes: [globals.note] }),
    ...(packed && { files: packed.files }),
    parts: [
      dump.part,
      ...('part' in globals ? [globals.part] : []),
      ...(packed === undefined ? [] : [packed.part]),
    ],
  };
}

/** Keys in the schema's order; on disk before the set gets its name. */
async function writeManifest(partial: string, manifest: Manifest): Promise<void> {
  const text = `${JSON.stringify(parse(manifestSchema, manifest), undefined, 2)}\n`;
  await writeFile(join(partial, 'manifest.json'), text, { mode: 0o600, flag: 'wx', flush: true });
}

async function moveIntoPlace(partial: string, path: string): Promise<void> {
  await syncPath(partial);
  await rename(partial, path);
  await syncPath(join(path, '..'));
}
