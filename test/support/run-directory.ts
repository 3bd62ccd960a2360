import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'tend-test-';

/**
 * Makes the directory everything of one run lives in, after removing those of runs that were killed. It is removed
 * when this process exits, whatever the reason.
 */
export async function createRunDirectory(id: string): Promise<{ path: string; temporaryDirectory: string }> {
  removeDirectoriesOfDeadRuns();
  const path = mkdtempSync(join(tmpdir(), `${prefix}${id}-${process.pid}-`));
  process.once('exit', () => remove(path));
  await chmod(path, 0o755);
  const temporaryDirectory = join(path, 'tmp');
  await mkdir(temporaryDirectory);
  await chmod(temporaryDirectory, 0o1777);
  return { path, temporaryDirectory };
}

function removeDirectoriesOfDeadRuns(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^tend-test-[0-9a-f]+-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) remove(join(tmpdir(), name));
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
