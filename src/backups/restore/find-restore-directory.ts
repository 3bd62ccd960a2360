import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { mayWriteIn } from '../sets/may-write-in.ts';

/**
 * Where restores keep their journals: `.restores` in the backup directory, which is there however the database is; on
 * a host that takes no backups, or may only read them, the state directory of the user (XDG Base Directory
 * Specification).
 */
export function findRestoreDirectory(options: {
  config: Pick<Config, 'backup'>;
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
}): string {
  const { config, baseDirectory, env } = options;
  const { directory } = config.backup;
  const backups = directory === undefined ? undefined : resolve(baseDirectory, directory);
  if (backups !== undefined && mayWriteIn(backups)) return join(backups, '.restores');
  const state = env['XDG_STATE_HOME'] ?? '';
  const home = env['HOME'] ?? homedir();
  return join(isAbsolute(state) ? state : join(home, '.local/state'), 'tend', 'restores');
}
