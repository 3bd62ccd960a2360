import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { TendError } from '../../errors.ts';
import type { SecretRegistry } from '../../redact.ts';
import { findRemoteSet } from '../remotes/find-remote-sets.ts';
import { openRemote } from '../remotes/open-remote.ts';
import { remoteSource } from '../remotes/remote-source.ts';
import { type BackupSet, findBackup } from '../sets/backup-directory.ts';

/**
 * Finds what is to be restored: a set, or the archive of a pg_dump that tend did not start. One from outside the backup
 * directory is only taken when nobody but this user or root can have written it: what stands in a dump is code that
 * runs with this role's rights in the database, and a task's payload may come from the application. A remote that is
 * configured is trusted as the backup directory is.
 *
 * @throws TendError BACKUP_NOT_FOUND, BACKUP_DAMAGED, INPUT_INVALID (plain SQL), RESTORE_REFUSED, REMOTE_….
 */
export async function findRestoreSource(options: {
  source: string;
  directory: string | undefined;
  baseDirectory: string;
  /** Name of the live database, whose newest set `latest` is. */
  database: string;
  /** User id of this process; undefined where the system has none. */
  uid: number | undefined;
  config: Config;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  signal: AbortSignal;
}): Promise<BackupSet> {
  const { directory, uid } = options;
  const remote = remoteSource(options.source);
  if (remote !== undefined)
    return await findRemoteSet(
      await openRemote({ ...options, name: remote.remote }),
      remote.id,
      options.database,
    );
  const set = (await findArchive(options)) ?? (await findBackup(options));
  const isOwn = directory !== undefined && !relative(directory, set.path).startsWith('..');
  if (isOwn || uid === undefined) return set;
  for (const path of await pathsOf(set)) await checkTrusted(path, uid);
  return set;
}

/** An archive that tend did not make, where the source is the path of one. */
async function findArchive(options: {
  source: string;
  baseDirectory: string;
}): Promise<BackupSet | undefined> {
  if (!options.source.includes('/')) return undefined;
  const path = resolve(options.baseDirectory, options.source);
  const exists = async (name: string) => (await stat(name).catch(() => undefined)) !== undefined;
  if (!(await exists(path)) || (await exists(join(path, 'manifest.json')))) return undefined;
  const { findForeignArchive } = await import('../archive/foreign-archive.ts');
  const { setOfArchive } = await import('../archive/describe-archive.ts');
  const archive = await findForeignArchive(path);
  return archive && setOfArchive({ ...archive, path: await realpath(path) });
}

async function pathsOf({ path, manifest, foreign }: BackupSet): Promise<string[]> {
  if (foreign === undefined)
    return [path, join(path, 'manifest.json'), ...manifest.parts.map(({ file }) => join(path, file))];
  if (foreign.toc.head.format !== 'directory') return [path];
  return [path, ...(await readdir(path)).map((name) => join(path, name))];
}

async function checkTrusted(path: string, uid: number): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return; // verifying says what is missing
  const isOwnersOnly = (found.mode & 0o022) === 0;
  if (isOwnersOnly && (found.uid === uid || found.uid === 0)) return;
  throw new TendError('RESTORE_REFUSED', `"${path}" is not restored: others than you can write it.`, {
    hint: `If you trust it: chown -R $(id -u) ${path}; chmod -R go-w ${path}`,
    isPermanent: true,
  });
}

/** A path as typed becomes absolute, since the task may run elsewhere; an id and `latest` stay. */
export function absoluteSource(source: string, cwd: string): string {
  return source.includes('/') || source === '.' || source === '..' ? resolve(cwd, source) : source;
}
