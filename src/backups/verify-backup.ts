import { PassThrough } from 'node:stream';
import { TendError, toError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BackupSet } from './backup-directory.ts';
import { findPostgresProgram } from './find-postgres-program.ts';
import { databasePart } from './manifest.ts';
import { damagedPart, readPart } from './read-part.ts';
import { runPostgresTool } from './run-postgres-tool.ts';
import { runTogether } from './run-together.ts';

export interface VerifyBackupOptions {
  set: BackupSet;
  /** Where pg_restore is looked for; `[backup] tools_directory`. */
  toolsDirectory: string | undefined;
  env: NodeJS.ProcessEnv;
  log: Log;
  signal: AbortSignal;
}

export interface VerifiedBackup {
  id: string;
  bytes: number;
  uncompressedBytes: number;
  sha256: string;
}

/**
 * Reads the whole dump once: its SHA-256 against the manifest, zstd's own checksum, and every block of the archive by
 * `pg_restore` (which writes the script to nowhere; `pg_restore --list` reads only the beginning, and passes a dump
 * that was cut off). It does not prove that the dump can be restored into a server: only a restore does.
 *
 * @throws TendError BACKUP_DAMAGED saying what does not fit.
 */
export async function verifyBackup(options: VerifyBackupOptions): Promise<VerifiedBackup> {
  const { set, toolsDirectory, env, log, signal } = options;
  const part = databasePart(set.manifest);
  const pgRestore = await findPostgresProgram({
    name: 'pg_restore',
    major: set.manifest.database.serverMajor,
    toolsDirectory,
    env,
    signal,
  });
  const archive = new PassThrough();
  let read = { bytes: 0, uncompressedBytes: 0 };
  try {
    await runTogether({
      signal,
      joints: [archive],
      members: [
        async (stop) => {
          read = await readPart({ set, part, target: archive, env, log, signal: stop });
        },
        async (stop) => {
          const args = ['--file=/dev/null'];
          await runPostgresTool({
            file: pgRestore.path,
            args,
            baseEnv: env,
            input: archive,
            log,
            signal: stop,
          });
        },
      ],
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TendError && error.code === 'BACKUP_DAMAGED') throw error;
    throw damagedPart(set.id, `"${part.file}" cannot be read: ${toError(error).message}`, error);
  }
  return { id: set.id, ...read, sha256: part.sha256 };
}
