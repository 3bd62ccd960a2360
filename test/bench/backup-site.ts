import { appendFile, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { findPostgresProgram } from '../../src/backups/tools/find-postgres-program.ts';
import { findProgram } from '../../src/processes/find-program.ts';
import { debianPackage } from '../support/debian-package.ts';
import type { Bench, BenchDatabase } from './bench.ts';
import type { Program } from './measure-program.ts';
import { fillMixed } from './mixed-database.ts';
import { tend } from './programs.ts';

/** A filled database with all that is measured on it. */
export interface BackupSite {
  database: BenchDatabase;
  /** `tend` with `age` and `zstd` on PATH. */
  tend: (...args: string[]) => Program;
  /** The same without either: Node does it all. */
  tendAlone: (...args: string[]) => Program;
  /** pg_dump and pg_restore of the server's major. */
  postgres: (name: 'pg_dump' | 'pg_restore', ...args: string[]) => Program;
  /** A file or directory of this name in the working directory. */
  file: (name: string) => string;
  identity: string;
}

export async function openBackupSite(
  bench: Bench,
  options: { name: string; gigabytes: number },
): Promise<BackupSite> {
  const database = await bench.createDatabase(options.name, { isMigrated: true });
  await fillMixed(database, options);
  const { directory } = database;
  const identity = join(directory, 'key.txt');
  const secret = await generateIdentity();
  await writeFile(identity, `${secret}\n`, { mode: 0o600 });
  const recipient = await identityToRecipient(secret);
  const section = `[backup]\ndirectory = "backups"\nencrypt_to = ["${recipient}"]\n`;
  await appendFile(join(directory, 'tend.toml'), section);
  const major = Number.parseInt(bench.serverVersion, 10);
  const { signal } = new AbortController();
  const find = async (name: 'pg_dump' | 'pg_restore') =>
    (await findPostgresProgram({ name, major, toolsDirectory: undefined, env: process.env, signal })).path;
  const paths = { pg_dump: await find('pg_dump'), pg_restore: await find('pg_restore') };
  const empty = join(directory, 'no-programs');
  await mkdir(empty);
  // By env(1): the program that measures needs a PATH itself.
  const withPath = (program: Program, path: string): Program => ({
    ...program,
    file: '/usr/bin/env',
    args: [`PATH=${path}`, program.file, ...program.args],
  });
  return {
    database,
    identity,
    tend: (...args) => withPath(tend(bench, database, ...args), `${ageDirectory()}:/usr/bin:/bin`),
    tendAlone: (...args) => withPath(tend(bench, database, ...args), empty),
    postgres: (name, ...args) => ({
      ...{ file: paths[name], args, cwd: directory },
      env: { PATH: '/usr/bin:/bin', HOME: bench.home },
    }),
    file: (name) => join(directory, name),
  };
}

/** Where `age` is: installed, or unpacked from its Debian package. */
function ageDirectory(): string {
  const root = debianPackage('age');
  if (root !== undefined) return join(root, 'usr/bin');
  return dirname(findProgram({ file: 'age', searchPath: process.env['PATH'] ?? '', cwd: '/' }));
}

/** Bytes of the newest set's dump, and no sets left. */
export async function takeSetAway({ file }: BackupSite): Promise<number> {
  const [id] = (await readdir(file('backups')))
    .filter((name) => name.startsWith('2'))
    .sort()
    .reverse();
  const set = join(file('backups'), id ?? '');
  const dump = (await readdir(set)).find((name) => name.startsWith('database.dump'));
  const { size } = await stat(join(set, dump ?? ''));
  await rm(set, { recursive: true });
  return size;
}
