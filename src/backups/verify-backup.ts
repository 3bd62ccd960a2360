import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { TendError, toError } from '../errors.ts';
import type { Log } from '../log.ts';
import { runTool } from '../processes/run-tool.ts';
import type { BackupSet } from './backup-directory.ts';
import { decompress } from './compression.ts';
import { findPostgresProgram } from './find-postgres-program.ts';
import { databasePart } from './manifest.ts';
import { Meter } from './meter.ts';
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
  const path = join(set.path, part.file);
  await checkSize(set.id, path, part.bytes);
  const pgRestore = await findPostgresProgram({
    name: 'pg_restore',
    major: set.manifest.database.serverMajor,
    toolsDirectory,
    env,
    signal,
  });
  const onDisk = new Meter({ algorithm: 'sha256' });
  const unpacked = new Meter();
  const archive = new PassThrough();
  try {
    await runTogether({
      signal,
      joints: [onDisk, unpacked, archive],
      members: [
        async (stop) => {
          const format = part.compression;
          await decompress({ path, format, through: onDisk, target: unpacked, env, log, signal: stop });
        },
        async (stop) => {
          unpacked.pipe(archive);
          const args = ['--file=/dev/null'];
          await runTool({ file: pgRestore.path, args, baseEnv: env, input: archive, log, signal: stop });
        },
      ],
    });
  } catch (error) {
    signal.throwIfAborted();
    throw damaged(set.id, `"${part.file}" cannot be read: ${toError(error).message}`, error);
  }
  const sha256 = onDisk.digest();
  if (sha256 !== part.sha256)
    throw damaged(set.id, `"${part.file}" has the SHA-256 ${sha256}, not ${part.sha256}`);
  return { id: set.id, bytes: onDisk.bytes, uncompressedBytes: unpacked.bytes, sha256 };
}

async function checkSize(id: string, path: string, expected: number): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    throw damaged(id, `its dump cannot be read: ${toError(error).message}`, error);
  });
  if (found.size !== expected) throw damaged(id, `its dump has ${found.size} bytes, not ${expected}`);
}

function damaged(id: string, why: string, cause?: unknown): TendError {
  return new TendError('BACKUP_DAMAGED', `Backup set "${id}" is damaged: ${why.replace(/\.$/, '')}.`, {
    cause,
    isPermanent: true,
    hint: 'Keep it for now, and take another: tend backup',
  });
}
