import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { parse } from 'valibot';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { ConnectionSettings } from '../connection/settings.ts';
import type { Database } from '../database/tables.ts';
import type { Log, Progress } from '../log.ts';
import type { SecretRegistry } from '../redact.ts';
import { type BackupSet, backupDirectory, filesIn } from './backup-directory.ts';
import { newBackupId } from './backup-id.ts';
import { lockBackups } from './backup-lock.ts';
import { parseCompression } from './compression.ts';
import { serverVersion } from './database-facts.ts';
import { type DatabaseDump, dumpDatabase } from './dump-database.ts';
import { encryptorName } from './encryption.ts';
import { findPostgresProgram } from './find-postgres-program.ts';
import { type Manifest, manifestSchema } from './manifest.ts';
import { refuseUnsupported } from './refuse-unsupported.ts';
import { partialSuffix, sweepPartials } from './sweep-partials.ts';
import { syncDirectory } from './sync-directory.ts';
import { serverOptions, toolEnvironment } from './tool-environment.ts';
import { isFileSystemError, unwritable } from './unwritable.ts';

export interface CreateBackupOptions {
  config: Config;
  baseDirectory: string;
  connection: ConnectionSettings;
  db: Kysely<Database>;
  label: string | null;
  /** The task this is; null without a queue. */
  taskId: number | null;
  includeFiles: 'yes' | 'no';
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
 * @throws TendError BACKUP_BUSY, OUTPUT_UNWRITABLE, TOOL_NOT_FOUND, TOOL_FAILED, and those of the connection.
 */
export async function createBackup(options: CreateBackupOptions): Promise<BackupSet> {
  const { config, clock, log } = options;
  refuseUnsupported({ backup: config.backup, includeFiles: options.includeFiles });
  const directory = backupDirectory(config, options.baseDirectory);
  using _lock = await lockBackups(directory);
  await sweepPartials(directory, log);
  const startedAt = clock.now();
  const id = newBackupId(startedAt);
  const partial = join(directory, id + partialSuffix);
  try {
    await mkdir(partial, { mode: 0o700 });
    const manifest = await writeSet({ ...options, id, startedAt, partial });
    await moveIntoPlace(partial, join(directory, id));
    log.info(`Backup set "${id}" is complete.`);
    const path = join(directory, id);
    return { id, path, manifest, files: filesIn(path) };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw isFileSystemError(error) ? unwritable(directory, error) : error;
  }
}

async function writeSet(
  options: CreateBackupOptions & { id: string; startedAt: Date; partial: string },
): Promise<Manifest> {
  const { config, connection, db, env, signal, partial, progress } = options;
  const { major } = await serverVersion(db);
  const toolsDirectory = config.backup.tools_directory;
  const pgDump = await findPostgresProgram({ name: 'pg_dump', major, toolsDirectory, env, signal });
  const compression = parseCompression(config.backup.compression);

  const dump = await progress.step(`Dump database "${connection.database}"`, async () => {
    return await dumpDatabase({
      ...options,
      pgDump,
      compression,
      recipients: config.backup.encrypt_to,
      connectionEnv: toolEnvironment({
        connection,
        tool: 'pg_dump',
        serverOptions: await serverOptions(db, connection),
      }),
      directory: partial,
      countBudgetMs: Math.min(config.tasks.lease / 2, longestCountMs),
    });
  });
  const manifest = describeSet({ ...options, dump, pgDumpVersion: pgDump.version });
  await writeManifest(partial, manifest);
  return manifest;
}

function describeSet(
  options: CreateBackupOptions & {
    id: string;
    startedAt: Date;
    dump: DatabaseDump;
    pgDumpVersion: string;
  },
): Manifest {
  const { config, env, id, label, taskId, host, startedAt, clock, dump, pgDumpVersion } = options;
  const { database, extensions, roles, largeObjects } = dump.facts;
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
    database,
    extensions,
    roles,
    largeObjects,
    tables: dump.tables,
    sequences: dump.sequences,
    recipients: [...new Set(config.backup.encrypt_to)],
    parts: [dump.part],
  };
}

/** Keys in the schema's order; on disk before the set gets its name. */
async function writeManifest(partial: string, manifest: Manifest): Promise<void> {
  const text = `${JSON.stringify(parse(manifestSchema, manifest), undefined, 2)}\n`;
  await writeFile(join(partial, 'manifest.json'), text, { mode: 0o600, flag: 'wx', flush: true });
}

async function moveIntoPlace(partial: string, path: string): Promise<void> {
  await syncDirectory(partial);
  await rename(partial, path);
  await syncDirectory(join(path, '..'));
}
