import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { RestoreBackupOptions } from '../../../src/backups/restore/restore-options.ts';
import { type BackupSet, findBackup } from '../../../src/backups/sets/backup-directory.ts';
import { systemClock } from '../../../src/clock.ts';
import { withoutConfig } from '../../../src/config/load-config.ts';
import { silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { checkUnfinishedRestore } from '../../../src/report/doctor/check-unfinished-restore.ts';
import type { Finding } from '../../../src/report/doctor/doctor-check.ts';
import { thisProgram } from '../../report/support/this-program.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { companionsOf, configFor, dropCompanions, settle, takeBackup } from './fixture.ts';
import type { RestoreProcessOptions } from './restore-process.ts';

const script = fileURLToPath(new URL('restore-process.ts', import.meta.url));

/** The configured path of the files: a link, so that each site has its own behind it. */
function mediaOf(directory: string): string {
  return join(directory, 'media');
}

/** A set of two pages, `a` and `b`, in a database without the queue, and of a logo. */
export async function takePages(directory: string): Promise<BackupSet> {
  await using origin = await createTestDatabase({ empty: true });
  await origin.query(`create table public.pages (title text); insert into public.pages values ('a'), ('b')`);
  const media = layOut(directory, 'origin', 'restored');
  // A backup leaves out the backup directory, and here everything is to be in one.
  const elsewhere = join(directory, '.sets');
  const { id, path } = await takeBackup({
    ...{ database: origin, directory: elsewhere },
    config: { files: [media] },
  });
  renameSync(path, join(directory, id));
  return await findBackup({ source: id, directory, baseDirectory: '/' });
}

/** Makes the files of a site be what the configured path leads to. */
function layOut(directory: string, name: string, logo: string): string {
  const live = join(directory, `${name}-media`);
  mkdirSync(live);
  writeFileSync(join(live, 'logo'), logo);
  const media = mediaOf(directory);
  rmSync(media, { force: true });
  symlinkSync(live, media);
  return media;
}

/** A live database with files of its own beside it, and what a restore of it that is killed leaves. */
export class RestoreSite implements AsyncDisposable {
  readonly database: TestDatabase;
  readonly files: NonNullable<RestoreBackupOptions['files']>;
  readonly #set: BackupSet;
  readonly #directory: string;
  #child: ChildProcess | undefined;

  private constructor(database: TestDatabase, set: BackupSet) {
    this.database = database;
    this.#set = set;
    this.#directory = dirname(set.path);
    const media = layOut(this.#directory, database.name, 'old');
    this.files = { backup: { files: [media], silence: 60_000 }, baseDirectory: '/' };
  }

  /** `bare` has no queue to carry: that is what takes longest. */
  static async open(set: BackupSet, queue: 'queue' | 'bare' = 'queue'): Promise<RestoreSite> {
    const isBare = queue === 'bare';
    const database = await createTestDatabase({ empty: isBare });
    await database.query(`create table public.pages (title text); insert into public.pages values ('new')`);
    await database.query(`comment on database "${database.name}" is 'our site'`);
    if (!isBare) await database.query(`select tend.enqueue('chore')`);
    return new RestoreSite(database, set);
  }

  /** What the application reads. */
  logo(): string {
    return readFileSync(join(this.#directory, `${this.database.name}-media`, 'logo'), 'utf8');
  }

  async start(options: Partial<RestoreProcessOptions>): Promise<ChildProcess> {
    const { connection } = this.database;
    const given = { connection, set: this.#set.path, files: this.files, taskId: null, ...options };
    const child = spawn(process.execPath, [script, JSON.stringify(given)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    if (options.stop !== undefined) await once(child.stdout ?? child, 'data');
    return child;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async killedAt(stop: string, options: Partial<RestoreProcessOptions> = {}): Promise<void> {
    await this.start({ ...options, stop });
    await this.kill();
  }

  async settle(way: 'resume' | 'undo', options: Partial<Parameters<typeof settle>[0]> = {}) {
    return await settle({ database: this.database, directory: this.#directory, way, ...options });
  }

  /** What somebody sees who comes now: never half of it. */
  async look(): Promise<'old' | 'restored'> {
    const [row] = await this.database.query<{ titles: string; comment: string; queue: string | null }>(`
      select (select string_agg(title, '' order by title) from public.pages) as titles,
             to_regclass('tend.tasks')::text as queue,
             shobj_description(oid, 'pg_database') as comment from pg_database where datname = current_database()`);
    expect(row?.comment).toBe('our site');
    if (row?.queue === 'tend.tasks') {
      const chores = await this.database.query(`select from tend.tasks where kind = 'chore'`);
      expect(chores).toHaveLength(1);
    }
    const seen = `${row?.titles} ${this.logo()}`;
    if (seen === 'new old') return 'old';
    if (seen === 'ab restored') return 'restored';
    throw new Error(`This is half of both: ${seen}`);
  }

  async doctor(): Promise<Finding> {
    const { database } = this;
    const loadedConfig = { ...withoutConfig('/'), config: configFor({ directory: this.#directory }) };
    const db = await database.openDatabase();
    try {
      return await checkUnfinishedRestore.run({
        ...{
          loadedConfig,
          configError: undefined,
          secrets: new SecretRegistry(),
          log: silentLog,
          host: 'here',
          program: thisProgram,
          env: process.env,
          clock: systemClock,
        },
        ...{ signal: new AbortController().signal, openDatabase: async () => await Promise.resolve(db) },
        connection: async () => await Promise.resolve(database.connection),
      });
    } finally {
      await db.destroy();
    }
  }

  /** Endings of what lies beside the live files; asks no database, which may be waiting for its name. */
  filesBeside(): string[] {
    const { name } = this.database;
    return readdirSync(this.#directory)
      .filter((one) => one.replace(/^\./, '').startsWith(name))
      .map((one) => one.replace(/^\.?[^.]*/, '').split('_')[0] ?? '')
      .filter((one) => one !== '');
  }

  /** Databases, files and journals beside the live ones. */
  async remains(): Promise<{ databases: string[]; files: string[] }> {
    const { name } = this.database;
    const databases = (await companionsOf(this.database)).map(
      (one) => one.slice(name.length).split('_')[1] ?? '',
    );
    return { databases, files: this.filesBeside() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await dropCompanions(this.database);
    await this.database[Symbol.asyncDispose]();
  }
}
