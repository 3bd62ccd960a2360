import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestDatabase } from './database.ts';
import { testRun } from './test-run.ts';

/** One statement as the server saw it. */
export interface LoggedStatement {
  /** Process id of the session. */
  pid: string;
  text: string;
}

/** What the server was told to do in `database` while `use` ran, from its own log: nothing can go past that. */
export async function statementsDuring(
  database: TestDatabase,
  use: () => Promise<unknown>,
): Promise<LoggedStatement[]> {
  await database.query(`alter database ${database.name} set log_statement = 'all'`);
  const before = (await readLog()).length;
  await use();
  const log = (await readLog()).slice(before);
  await database.query(`alter database ${database.name} reset log_statement`);
  // Only sessions of this database log their statements: `2026-01-01 00:00:00.000 UTC [PID] LOG:  execute …: TEXT`.
  return [...log.matchAll(/^\S+ \S+ \S+ \[(\d+)\] LOG: {2}(?:statement|execute [^:]*):\s*(.*)$/gm)].map(
    ([, pid = '', text = '']) => ({ pid, text }),
  );
}

async function readLog(): Promise<string> {
  return await readFile(join(testRun().socketDirectory, 'log'), 'utf8');
}
