import { readFileSync } from 'node:fs';

/** A line of the password file, as cron looks it up. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

/** The account of a name or uid; undefined where the password file has none. */
export function findAccount(nameOrUid: string | number, passwordFile = '/etc/passwd'): Account | undefined {
  const accounts = readLines(passwordFile).map((line) => line.split(':'));
  const fields = accounts.find(([name, , uid]) => name === nameOrUid || uid === String(nameOrUid));
  if (fields === undefined) return undefined;
  const [name = '', , uid, gid, , home = '/'] = fields;
  return { name, uid: Number(uid), gid: Number(gid), home };
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}
