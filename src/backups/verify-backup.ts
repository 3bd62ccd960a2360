import { PassThrough } from 'node:stream';
import type { Log } from '../log.ts';
import type { BackupSet } from './backup-directory.ts';
import { checkStored } from './check-stored.ts';
import { type Identity, isEncrypted } from './find-identity.ts';
import { findPostgresProgram } from './find-postgres-program.ts';
import { databasePart } from './manifest.ts';
import { aboutSet, readPart } from './read-part.ts';
import { readWithPgRestore } from './read-with-pg-restore.ts';
import { runTogether } from './run-together.ts';

export interface VerifyBackupOptions {
  set: BackupSet;
  /** Opens an encrypted set; without it only what is stored is checked. */
  identity?: Identity | undefined;
  /** Where pg_restore is looked for; `[backup] tools_directory`. */
  toolsDirectory: string | undefined;
  env: NodeJS.ProcessEnv;
  log: Log;
  /** How long pg_restore may stand still; two minutes unless told. */
  silenceMs?: number;
  signal: AbortSignal;
}

export interface VerifiedBackup {
  id: string;
  bytes: number;
  /** Null where the content could not be read. */
  uncompressedBytes: number | null;
  sha256: string;
  /** `stored`: the bytes are those that were written; `content`: and what they hold was read. */
  level: 'stored' | 'content';
}

/**
 * Reads the whole dump once: its SHA-256 against the manifest, zstd's own checksum, and every block of the archive by
 * `pg_restore` (which writes the script to nowhere; `pg_restore --list` reads only the beginning, and passes a dump
 * that was cut off). It does not prove that the dump can be restored into a server: only a restore does.
 * An encrypted set whose key is not here, as on the server that makes the sets, is compared with its manifest alone.
 *
 * @throws TendError BACKUP_DAMAGED saying what does not fit; BACKUP_KEY_WRONG;
 *   TOOL_TIMED_OUT where pg_restore stands still.
 */
export async function verifyBackup(options: VerifyBackupOptions): Promise<VerifiedBackup> {
  const { set, identity, toolsDirectory, env, log, silenceMs, signal } = options;
  const part = databasePart(set.manifest);
  const { sha256 } = part;
  if (isEncrypted(set.manifest) && identity === undefined) {
    const { bytes } = await checkStored({ set, part, signal });
    return { id: set.id, bytes, uncompressedBytes: null, sha256, level: 'stored' };
  }
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
  return { id: set.id, ...read, sha256, level: 'content' };
}
