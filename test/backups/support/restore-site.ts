import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { BackupSet } from '../../../src/backups/backup-directory.ts';
import type { FileSwap } from '../../../src/backups/swap-files.ts';
import { systemClock } from '../../../src/clock.ts';
import { withoutConfig } from '../../../src/config/load-config.ts';
import { checkUnfinishedRestore } from '../../../src/report/doctor/check-unfinished-restore.ts';
import type { Finding } from '../../../src/report/doctor/doctor-check.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { companionsOf, configFor, dropCompanions, settle, takeBackup } from './fixture.ts';
import type { RestoreProcessOptions } from './restore-process.ts';

const script = fileURLToPath(new URL('restore-process.ts', import.meta.url));

/** A set of two pages, `a` and `b`, in a database without the queue. */
export async function takePages(directory: string): Promise<BackupSet> {
  await using origin = await createTestDatabase({ empty: true });
  await origin.query(`create table public.pages (title text); insert into public.pages values ('a'), ('b')`);
  return await takeBackup({ database: origin, directory });
}

/** A live database with files of its own beside it, and what a restore of it that is killed leaves. */
export class RestoreSite implements AsyncDisposable {
  readonly database: TestDatabase;
  readonly files: FileSwap[];
  readonly #set: BackupSet;
  readonly #directory: string;
  #child: ChildProcess | undefined;

  private constructor(database: TestDatabase, set: BackupSet) {
    this.database = database;
    this.#set = set;
    this.#directory = dirname(set.path);
    const live = join(this.#directory, `${database.name}-media`);
    this.files = [{ live, fresh: `${live}.fresh`, keptAs: `${live}.before` }];
    mkdirSync(live);
    writeFileSync(join(live, 'logo'), 'old');
    this.unpack();
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

  unpack(): void {
    for (const { fresh } of this.files) {
      mkdirSync(fresh, { recursive: true });
      writeFileSync(join(fresh, 'logo'), 'restored');
    }
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
    const [{ live } = { live: '' }] = this.files;
    const seen = `${row?.titles} ${readFileSync(join(live, 'logo'), 'utf8')}`;
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
        ...{ loadedConfig, configError: undefined, host: 'here', env: process.env, clock: systemClock },
        ...{ signal: new AbortController().signal, openDatabase: async () => await Promise.resolve(db) },
        connection: async () => await Promise.resolve(database.connection),
      });
    } finally {
      await db.destroy();
    }
  }

  /** Databases, files and journals beside the live ones. */
  async remains(): Promise<{ databases: string[]; files: string[] }> {
    const { name } = this.database;
    const databases = (await companionsOf(this.database)).map(
      (one) => one.slice(name.length).split('_')[1] ?? '',
    );
    const files = readdirSync(this.#directory).filter((one) => one.startsWith(name));
    return {
      databases,
      files: files.map((one) => one.slice(`${name}-media`.length)).filter((one) => one !== ''),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await dropCompanions(this.database);
    await this.database[Symbol.asyncDispose]();
  }
}
