import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { Config } from '../config/schema.ts';

/**
 * Where the replaced catalogs of one application are kept, by its folder: in the backup directory, which every user
 * that runs `tend` for it can write to; where there is none in the state directory of the user (XDG Base Directory
 * Specification). Beside the catalogs they would be strange files in a working copy.
 */
export async function findKeptDirectory(options: {
  config: Pick<Config, 'backup'>;
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
}): Promise<string> {
  const { config, baseDirectory, env } = options;
  const place = await realpath(baseDirectory).catch(() => baseDirectory);
  const key = createHash('sha256').update(place).digest('hex').slice(0, 16);
  const { directory } = config.backup;
  if (directory !== undefined) return join(resolve(baseDirectory, directory), '.translations', key);
  const state = env['XDG_STATE_HOME'] ?? '';
  const home = env['HOME'] ?? homedir();
  return join(isAbsolute(state) ? state : join(home, '.local/state'), 'tend', 'translations', key);
}
