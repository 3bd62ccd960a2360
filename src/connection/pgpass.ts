import { type Stats, statSync } from 'node:fs';
import type { Log } from '../log.ts';
import { readTextFile } from './read-text-file.ts';

export interface PgpassKey {
  /** Host name, address, or directory of a unix socket. */
  host: string;
  port: number;
  database: string;
  user: string;
}

/** Lines of a password file, in order; empty where libpq would not use the file. */
export type PgpassLines = readonly string[];

/**
 * Reads a password file. Like libpq, it is not used when others may read it: that is said as a warning, since the
 * connection then fails for a reason nobody sees.
 */
export function readPgpass(path: string, log: Log): PgpassLines {
  const status = findStatus(path);
  if (status === undefined) return [];
  if (!status.isFile()) {
    log.warn(`The password file "${path}" is not used: it is not a plain file.`);
    return [];
  }
  if ((status.mode & 0o077) !== 0) {
    log.warn(`The password file "${path}" is not used: others may read it. Fix it with: chmod 0600 ${path}`);
    return [];
  }
  try {
    return readTextFile(path)?.split('\n') ?? [];
  } catch {
    log.warn(`The password file "${path}" is not used: it cannot be read.`);
    return [];
  }
}

function findStatus(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/**
 * The password of the first line that matches, by the rules of libpq-pgpass: `host:port:database:user:password`, `*`
 * matches all, a backslash takes the next character literally, and `localhost` stands for the default socket.
 */
export function findPassword(
  lines: PgpassLines,
  key: PgpassKey,
  defaultSocketDirectory: string,
): string | undefined {
  const host = key.host === defaultSocketDirectory ? 'localhost' : key.host;
  const wanted = [host, String(key.port), key.database, key.user];
  for (const rawLine of lines) {
    const line = rawLine.replace(/\r+$/, '');
    if (line === '' || line.startsWith('#')) continue;
    const rest = afterMatching(line, wanted);
    if (rest === undefined) continue;
    const [password = ''] = /^(?:\\[\s\S]|[^:])*/.exec(rest) ?? [];
    return password.replaceAll(/\\([\s\S])/g, '$1');
  }
  return undefined;
}

function afterMatching(line: string, wanted: readonly string[]): string | undefined {
  let rest = line;
  for (const value of wanted) {
    const field = /^((?:\\[\s\S]|[^:\\])*):/.exec(rest);
    if (field === null) return undefined;
    const [whole, text = ''] = field;
    if (text !== '*' && text.replaceAll(/\\([\s\S])/g, '$1') !== value) return undefined;
    rest = rest.slice(whole.length);
  }
  return rest;
}
