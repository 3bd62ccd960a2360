import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { TendError } from '../../errors.ts';
import { workDirectory } from '../restore/restore-resources.ts';
import { lockBackups } from '../sets/backup-lock.ts';

/** How the name of each begins. */
export const workAreaPrefix = '.tend-unpacked-';

/** The same where this installation unpacks its dumps. */
export async function findAbandonedDumps(options: {
  config: Config;
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
}): Promise<string[]> {
  return await findAbandonedWorkAreas(workDirectory(options));
}

/** The work areas of this user in `parent` whose restore was killed. */
export async function findAbandonedWorkAreas(parent: string): Promise<string[]> {
  const names = await readdir(parent).catch(() => []);
  const abandoned: string[] = [];
  for (const name of names.filter((name) => name.startsWith(workAreaPrefix))) {
    const path = join(parent, name);
    if (await isAbandoned(path)) abandoned.push(path);
  }
  return abandoned;
}

/** In a place that everybody uses, such as /tmp, what belongs to others is not even looked into. */
async function isAbandoned(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isDirectory() || found.uid !== process.getuid?.()) return false;
  try {
    using _lock = await lockBackups(path);
    return true;
  } catch (error) {
    if (error instanceof TendError) return false;
    throw error;
  }
}
