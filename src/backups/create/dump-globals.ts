import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { SecretRegistry } from '../../redact.ts';
import type { Compression } from '../parts/compression.ts';
import { isFileSystemError } from '../parts/unwritable.ts';
import { partFile, writePart } from '../parts/write-part.ts';
import type { ManifestPart } from '../sets/manifest.ts';
import { findPostgresProgram } from '../tools/find-postgres-program.ts';
import { runPostgresTool } from '../tools/run-postgres-tool.ts';

export interface DumpGlobalsOptions {
  database: string;
  /** See `isDirect`. */
  isDirect: boolean;
  /** PG* variables that lead pg_dumpall to the server. */
  connectionEnv: Record<string, string>;
  serverMajor: number;
  toolsDirectory: string | undefined;
  /** The set that is being made. */
  directory: string;
  compression: Compression;
  recipients: readonly string[];
  silenceMs: number;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  log: Log;
  signal: AbortSignal;
}

/**
 * Writes the roles of the server, with memberships and settings and without passwords (which only a superuser may
 * read): another server needs them before the database can be restored there. They are for a person to look at and to
 * run, since they are those of everybody on the server.
 *
 * Through a pooler it is not run: pg_dumpall sets `search_path` for the rest of its session, which the pooler would hand to
 * the application.
 *
 * @returns the part; where it cannot be made, a note that says why: it is no reason to have no backup.
 */
export async function dumpGlobals(
  options: DumpGlobalsOptions,
): Promise<{ part: ManifestPart } | { note: string }> {
  const { database, connectionEnv, serverMajor, toolsDirectory, silenceMs, env, secrets, log } = options;
  if (!options.isDirect) {
    return { note: 'without the roles of the server: a pooler or a forwarded port is before it' };
  }
  const name = `dbname='${database.replace(/[\\']/g, '\\$&')}'`;
  try {
    const find = {
      name: 'pg_dumpall',
      major: serverMajor,
      toolsDirectory,
      env,
      signal: options.signal,
    } as const;
    const pgDumpall = await findPostgresProgram(find);
    const part = await writePart({
      ...options,
      name: 'globals.sql',
      holds: 'globals',
      produce: async (stdout, signal) =>
        await runPostgresTool({
          file: pgDumpall.path,
          args: ['--globals-only', '--no-role-passwords', '--no-password', `--database=${name}`],
          baseEnv: env,
          env: connectionEnv,
          ...{ stdout, silenceMs, secrets, log, signal },
        }),
    });
    return { part };
  } catch (error) {
    const isOwnTrouble = error instanceof TendError && /^TOOL_(FAILED|NOT_FOUND)$/.test(error.code);
    if (!isOwnTrouble || isFileSystemError(error)) throw error;
    await rm(join(options.directory, partFile({ ...options, name: 'globals.sql' })), { force: true });
    log.info(`Without the roles of the server: ${error.message}`);
    return { note: `without the roles of the server: ${error.message}` };
  }
}
