import { stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import { TendError } from '../errors.ts';
import type { SecretRegistry } from '../redact.ts';
import { type BackupSet, findBackup } from './backup-directory.ts';
import { findRemoteSet } from './remotes/find-remote-sets.ts';
import { openRemote } from './remotes/open-remote.ts';

/** `offsite:latest`: a set in a remote. Ids have no colon, and paths have a slash. */
const inRemote = /^([A-Za-z0-9][A-Za-z0-9_-]*):([^/]+)$/;

/**
 * Finds the set to restore. One from outside the backup directory is only taken when nobody but this user or root can
 * have written it: what stands in a dump is code that runs with this role's rights in the database, and a task's
 * payload may come from the application. A remote that is configured is trusted as the backup directory is.
 *
 * @throws TendError BACKUP_NOT_FOUND, BACKUP_DAMAGED, RESTORE_REFUSED, REMOTE_….
 */
export async function findRestoreSource(options: {
  source: string;
  directory: string | undefined;
  baseDirectory: string;
  /** User id of this process; undefined where the system has none. */
  uid: number | undefined;
  config: Config;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  signal: AbortSignal;
}): Promise<BackupSet> {
  const { directory, uid } = options;
  const [, name, id] = inRemote.exec(options.source) ?? [];
  if (name !== undefined && id !== undefined)
    return await findRemoteSet(await openRemote({ ...options, name }), id);
  const set = await findBackup(options);
  const isOwn = directory !== undefined && !relative(directory, set.path).startsWith('..');
  if (isOwn || uid === undefined) return set;
  const paths = [
    set.path,
    join(set.path, 'manifest.json'),
    ...set.manifest.parts.map(({ file }) => join(set.path, file)),
  ];
  for (const path of paths) await checkTrusted(path, uid);
  return set;
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
