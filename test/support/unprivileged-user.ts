import { execFileSync } from 'node:child_process';

export interface UnprivilegedUser {
  uid: number;
  gid: number;
}

/** Whom PostgreSQL runs as: it refuses root, so root's clusters run as `postgres`, else `nobody`. */
export function unprivilegedUser(): UnprivilegedUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      return { uid: numericId('-u', name), gid: numericId('-g', name) };
    } catch {
      // no such user on this machine: the next one
    }
  }
  throw new Error(
    'The tests run as root, and neither user "postgres" nor "nobody" exists to run PostgreSQL as.',
  );
}

function numericId(option: '-u' | '-g', name: string): number {
  return Number(
    execFileSync('id', [option, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
}
