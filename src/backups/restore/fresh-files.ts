import { readdir, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import type { Log } from '../../log.ts';
import { runTool } from '../../processes/run-tool.ts';
import { configuredFiles } from '../create/file-roots.ts';
import { isBackupId } from '../sets/backup-id.ts';
import type { PlannedFiles } from './plan-files.ts';

/** What unpacked files are called until they are complete. */
export const unfinishedSuffix = '.partial';

interface Context {
  env: NodeJS.ProcessEnv;
  log: Log;
}

/** Removes what a restore has unpacked and not put in place. */
export async function removeFresh(
  files: readonly Pick<PlannedFiles, 'fresh'>[],
  context: Context,
): Promise<void> {
  for (const { fresh } of files) {
    await removeTree(fresh + unfinishedSuffix, context);
    await removeTree(fresh, context);
  }
}

/**
 * Removes what killed restores have left beside `[backup] files`. The caller holds the lock of the backup directory, and
 * knows of no restore that is to be resumed.
 */
export async function sweepFresh(
  options: Context & { backup: Pick<Config['backup'], 'files'>; baseDirectory: string },
): Promise<string[]> {
  const swept: string[] = [];
  for (const path of configuredFiles(options)) {
    const live = await realpath(path).catch(() => path);
    const names = await readdir(dirname(live)).catch(() => []);
    for (const name of names.filter((other) => isFreshOf(live, other))) {
      const fresh = join(dirname(live), name);
      options.log.warn(`Removing "${fresh}": the restore that unpacked it did not come to its end.`);
      await removeTree(fresh, options);
      swept.push(fresh);
    }
  }
  return swept;
}

function isFreshOf(live: string, name: string): boolean {
  const prefix = `.${basename(live)}.tend_`;
  return name.startsWith(prefix) && isBackupId(name.slice(prefix.length).replace(unfinishedSuffix, ''));
}

/** Also with directories in it that their owner may not write to. */
async function removeTree(path: string, { env, log }: Context): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    log.debug(`"${path}" is made writable first: ${String(error)}`);
    const { signal } = new AbortController();
    await runTool({ file: 'chmod', args: ['-R', 'u+rwX', '--', path], baseEnv: env, log, signal });
    await rm(path, { recursive: true, force: true });
  }
}
