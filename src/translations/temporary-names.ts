import { randomInt } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** What a file beside a live .mo file is for: the new one before it goes live, or the old one kept for the way back. */
export type TemporaryPurpose = 'new' | 'old';

const pattern = /^\..+\.mo\.tend-(?<host>[^/]+)-(?<pid>\d+)-[0-9a-f]{8}\.(?:new|old)$/;

const host = hostname();
/** Of the last name; threads of one process begin at numbers of their own. */
let number = randomInt(2 ** 32);

/** A name beside `output` that says whose it is, so that a later run can sweep it after a crash. */
export function temporaryName(output: string, purpose: TemporaryPurpose): string {
  number = (number + 1) >>> 0;
  const owner = `${host}-${process.pid}-${number.toString(16).padStart(8, '0')}`;
  return join(dirname(output), `.${basename(output)}.tend-${owner}.${purpose}`);
}

/**
 * Removes what killed runs of this host left in these folders. Files of a process that is still alive stay, and so
 * do those of other hosts, whose processes cannot be seen from here.
 */
export function sweepTemporaries(folders: Iterable<string>): void {
  for (const folder of new Set(folders)) {
    for (const name of namesIn(folder)) {
      const owner = pattern.exec(name)?.groups;
      if (owner === undefined || owner['host'] !== host) continue;
      const pid = Number(owner['pid']);
      if (pid !== process.pid && !isAlive(pid)) rmSync(join(folder, name), { force: true });
    }
  }
}

/** A folder that is gone has none. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // No permission to signal it means that it is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
