import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { mayWriteIn } from '../sets/may-write-in.ts';

/** More sessions gain little, and each takes memory for its sorts. */
const mostJobs = 8;

/** How many sessions a restore loads with: `[backup] jobs`, or one for each processor here. */
export function restoreJobs(config: Config): number {
  return config.backup.jobs ?? Math.min(availableParallelism(), mostJobs);
}

/**
 * Where a restore unpacks the dump: `[backup] work_directory`; the backup directory, unless it may only be read; or where
 * temporary files go.
 */
export function workDirectory(options: {
  config: Config;
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
}): string {
  const { config, baseDirectory, env } = options;
  const { work_directory, directory } = config.backup;
  const temporary = env['TMPDIR'] ?? '/tmp';
  if (work_directory !== undefined) return resolve(baseDirectory, work_directory);
  const backups = directory === undefined ? undefined : resolve(baseDirectory, directory);
  return backups !== undefined && mayWriteIn(backups) ? backups : resolve(baseDirectory, temporary);
}
