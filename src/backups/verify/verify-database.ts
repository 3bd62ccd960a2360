import { PassThrough } from 'node:stream';
import type { Log } from '../../log.ts';
import { readWithPgRestore } from '../archive/read-with-pg-restore.ts';
import type { Identity } from '../parts/find-identity.ts';
import { aboutSet, readPart } from '../parts/read-part.ts';
import { runTogether } from '../parts/run-together.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import { databasePart } from '../sets/manifest.ts';
import { findPostgresProgram } from '../tools/find-postgres-program.ts';

export interface VerifyDatabaseOptions {
  set: BackupSet;
  /** Opens an encrypted set. */
  identity?: Identity | undefined;
  /** Where pg_restore is looked for; `[backup] tools_directory`. */
  toolsDirectory: string | undefined;
  env: NodeJS.ProcessEnv;
  log: Log;
  /** How long pg_restore may stand still; two minutes unless told. */
  silenceMs?: number;
  signal: AbortSignal;
}

/**
 * Reads the whole dump of a set once: its SHA-256 against the manifest, zstd's own checksum, and every block of the archive
 * by `pg_restore` (which writes the script to nowhere; `pg_restore --list` reads only the beginning, and passes a dump
 * that was cut off). It does not prove that the dump can be restored into a server: only a restore does.
 *
 * @throws TendError BACKUP_DAMAGED saying what does not fit; BACKUP_KEY_MISSING, BACKUP_KEY_WRONG;
 *   TOOL_TIMED_OUT where pg_restore stands still.
 */
export async function verifyDatabase(
  options: VerifyDatabaseOptions,
): Promise<{ bytes: number; uncompressedBytes: number }> {
  const { set, identity, toolsDirectory, env, log, silenceMs, signal } = options;
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
          read = await readPart({ set, part, identity, target: archive, env, log, signal: stop });
        },
        async (stop) => {
          await readWithPgRestore({
            ...{ pgRestore, input: archive, env, log, signal: stop },
            ...(silenceMs !== undefined && { silenceMs }),
          });
        },
      ],
    });
  } catch (error) {
    signal.throwIfAborted();
    throw aboutSet(set.id, part.file, error);
  }
  return read;
}
