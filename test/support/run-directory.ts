import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'tend-test-';
const memory = '/dev/shm';
/** A run takes about a tenth of it. */
const enoughBytes = 2 * 1024 ** 3;

export interface RunDirectory {
  path: string;
  /** For the test files, which must leave it empty. */
  temporaryDirectory: string;
  /** For what programs keep from one run to the next, such as compiled code. */
  cacheDirectory: string;
}

/**
 * Makes the directory everything of one run lives in, after removing those of runs that were killed. It is removed
 * when this process exits, whatever the reason.
 */
export async function createRunDirectory(id: string): Promise<RunDirectory> {
  for (const parent of new Set([memory, tmpdir()])) removeDirectoriesOfDeadRuns(parent);
  const path = makeInMemory(id) ?? makeIn(tmpdir(), id);
  process.once('exit', () => remove(path));
  await chmod(path, 0o755);
  const temporaryDirectory = join(path, 'tmp');
  await mkdir(temporaryDirectory);
  await chmod(temporaryDirectory, 0o1777);
  const cacheDirectory = join(path, 'cache');
  await mkdir(cacheDirectory);
  return { path, temporaryDirectory, cacheDirectory };
}

function makeIn(parent: string, id: string): string {
  return mkdtempSync(join(parent, `${prefix}${id}-${process.pid}-`));
}

/**
 * In memory, unless there is little of it, or no program may be run there. Every test database is some 300 files, and
 * ext4 looks at each file deleted in the last minutes before it makes a new one: ten times the work of the copy.
 */
function makeInMemory(id: string): string | undefined {
  let path: string | undefined;
  try {
    const { bavail, bsize } = statfsSync(memory);
    if (process.env['TMPDIR'] !== undefined || bavail * bsize < enoughBytes) return undefined;
    path = makeIn(memory, id);
    const probe = join(path, 'probe');
    writeFileSync(probe, '#!/bin/sh\n', { mode: 0o700 });
    execFileSync(probe);
    rmSync(probe);
    return path;
  } catch {
    if (path !== undefined) remove(path);
    return undefined;
  }
}

function removeDirectoriesOfDeadRuns(parent: string): void {
  for (const name of namesIn(parent)) {
    const pid = /^tend-test-[0-9a-f]+-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) remove(join(parent, name));
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // not every system has memory to write files to
  }
}

/** Another user's directory stays, and so does what a dying server is still writing: the next run takes it. */
function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  } catch {
    // see above
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
