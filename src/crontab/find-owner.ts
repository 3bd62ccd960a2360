import { readFileSync, statSync } from 'node:fs';

/** Name of the user who owns a file, by the password file; undefined where that does not name it. */
export function findOwner(path: string, passwordFile = '/etc/passwd'): string | undefined {
  try {
    const uid = String(statSync(path).uid);
    const lines = readFileSync(passwordFile, 'utf8').split('\n');
    return lines.map((line) => line.split(':')).find((fields) => fields[2] === uid)?.[0];
  } catch {
    return undefined;
  }
}
