import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dropOldReplaced } from '../../../src/backups/cut-over/drop-old-replaced.ts';
import { openMaintenanceDatabase } from '../../../src/backups/restore/maintenance-database.ts';
import { previewKeptDatabases } from '../../../src/backups/retention/prune-kept-databases.ts';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { systemClock } from '../../../src/clock.ts';
import { withoutConfig } from '../../../src/config/load-config.ts';
import { TendError } from '../../../src/errors.ts';
import { silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { checkKeptDatabases } from '../../../src/report/doctor/check-kept-databases.ts';
import { thisProgram } from '../../report/support/this-program.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { companionsOf, configFor, restore, takeBackup } from '../support/fixture.ts';
import { RestoreSite, takePages } from '../support/restore-site.ts';

/** As long as it takes on a busy machine. */
const slow = { timeout: 120_000 };

let place: TemporaryDirectory;
let set: BackupSet;

beforeAll(async () => {
  place = await temporaryDirectory();
  set = await takePages(place.path);
});
afterAll(async () => await place[Symbol.asyncDispose]());

const ill = new TendError('APP_UNHEALTHY', 'The application is not healthy: 500.');
const restored = async (site: RestoreSite) =>
  await restore({ database: site.database, set, files: site.files });

test('a restore that has ended is undone, with its files and what was queued since', async () => {
  await using site = await RestoreSite.open(set);
  await restored(site);
  expect(await site.look()).toBe('restored');
  await site.database.query(`select tend.enqueue('later')`);
  expect(await site.settle('undo')).toMatchObject({ action: 'undone', keptAs: null, restoredAs: null });
  expect(await site.look()).toBe('old');
  expect(await site.database.query(`select kind from tend.tasks order by id`)).toEqual([
    { kind: 'chore' },
    { kind: 'later' },
  ]);
  expect(await site.remains()).toEqual({ databases: [], files: [] });
  await expect(site.settle('undo')).rejects.toMatchObject({
    code: 'RESTORE_REFUSED',
    message: expect.stringMatching(/restore \S+, the newest, was undone already/),
  });
});

test('what was written into the restored database is kept when it is undone', async () => {
  await using site = await RestoreSite.open(set, 'bare');
  await restored(site);
  await site.database.query(`insert into public.pages values ('written since')`);
  const { restoredAs } = await site.settle('undo');
  expect(restoredAs).toMatch(/_undone_/);
  expect(await site.look()).toBe('old');
  const client = await site.database.connect({ database: restoredAs ?? '' });
  const { rows } = await client.query('select title from public.pages order by 1');
  await client.end();
  expect(rows).toEqual([{ title: 'a' }, { title: 'b' }, { title: 'written since' }]);
});

test('an undo that the application is not well with is taken back', slow, async () => {
  await using site = await RestoreSite.open(set, 'bare');
  await restored(site);
  const seen: string[] = [];
  const check = async () => {
    seen.push(await site.look());
    if (seen.length === 1) throw ill;
    return { tries: 1, tookMs: 0 };
  };
  await expect(site.settle('undo', { app: { check } })).rejects.toMatchObject({
    code: 'RESTORE_ROLLED_BACK',
    exitCode: 1,
  });
  expect(seen).toEqual(['old', 'restored']);
  expect(await site.remains()).toEqual({ databases: ['before'], files: ['.before'] });
  expect(await site.settle('undo')).toMatchObject({ action: 'undone' });
});

describe('a way back that fails as well is exit 2, with both databases and the exact commands', slow, () => {
  test('where the old database is back and the application is not well with it', async () => {
    await using site = await RestoreSite.open(set, 'bare');
    const { database } = site;
    const app = { check: async () => await Promise.reject(ill) };
    const failing = restore({ database, set, files: site.files, app });
    await expect(failing).rejects.toMatchObject({
      ...{ code: 'RESTORE_STUCK', exitCode: 2 },
      hint: expect.stringMatching(
        /is the one from before again.*tend restore --undo --confirm t_\w+ \(with --no-restart/,
      ),
    });
    expect(await site.look()).toBe('old');
    await expect(site.settle('undo', { app })).rejects.toMatchObject({ code: 'RESTORE_STUCK' });
    expect(await site.settle('undo')).toMatchObject({ action: 'undone' });
    expect(await site.remains()).toEqual({ databases: [], files: [] });
  });

  test('where the databases cannot be swapped: what is printed for a person does it, and tend goes on from there', async () => {
    await using site = await RestoreSite.open(set, 'bare');
    const { database } = site;
    const holder = await database.connect({ database: 'postgres' });
    const check = async () => {
      const [kept = ''] = (await companionsOf(database)).filter((name) => name.includes('_before_'));
      await holder.query(`begin; comment on database "${kept}" is 'held'`);
      throw ill;
    };
    const connection = { ...database.connection, options: '-c lock_timeout=700ms' };
    const failing = restore({ database, set, files: site.files, app: { check }, connection });
    const error: unknown = await failing.catch((thrown: unknown) => thrown);
    await holder.query('rollback');
    await holder.end();
    expect(error).toMatchObject({ code: 'RESTORE_STUCK', exitCode: 2 });
    const hint = error instanceof TendError ? (error.hint ?? '') : '';
    expect(hint).toMatch(
      /Both databases are there.*tend restore --undo --confirm t_\w+\. Without tend, .*psql -h \S+ -p \d+ -U \S+ -d postgres/,
    );
    expect(await site.look()).toBe('restored');

    const statements = /-c '(begin; .*; commit)'/.exec(hint)?.[1] ?? '';
    const hand = await database.connect({ database: 'postgres' });
    await hand.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.name}'`,
    );
    await hand.query(statements);
    await hand.end();
    expect(await site.settle('undo')).toMatchObject({ action: 'undone' });
    expect(await site.look()).toBe('old');
  });
});

describe('what was replaced is kept for a while', slow, () => {
  test('and is dropped after it, files and journal included, but never that of an unfinished restore', async () => {
    await using site = await RestoreSite.open(set, 'bare');
    const { connection, name: live } = site.database;
    const options = { connection, applicationName: 'tend test' };
    await restored(site);
    const drop = async (days: number) => {
      await using maintenance = await openMaintenanceDatabase(options);
      const now = new Date(Date.now() + days * 86_400_000);
      return await dropOldReplaced({
        ...{ maintenance, database: live, directory: join(place.path, '.restores'), keepMs: 7 * 86_400_000 },
        ...{ clock: { ...systemClock, now: () => now }, log: silentLog },
      });
    };
    const plan = async (days: number) => {
      await using db = await site.database.openDatabase();
      const clock = { now: () => new Date(Date.now() + days * 86_400_000) };
      const config = configFor({ directory: place.path });
      return await previewKeptDatabases({
        ...{ config, baseDirectory: '/', connection, db, host: 'here', clock: { ...systemClock, ...clock } },
        ...{ env: process.env, secrets: new SecretRegistry(), signal: new AbortController().signal },
      });
    };
    expect(await drop(6)).toEqual([]);
    expect(await plan(6)).toMatchObject([{ action: 'keep', reason: 'kept for 6 d of 7 d' }]);
    expect(await plan(8)).toMatchObject([{ action: 'drop', sizeBytes: expect.any(Number) }]);
    const finding = await checkKeptDatabases.run({
      ...{ loadedConfig: { ...withoutConfig('/'), config: configFor({ directory: place.path }) } },
      ...{
        configError: undefined,
        secrets: new SecretRegistry(),
        log: silentLog,
        host: 'here',
        program: thisProgram,
        env: process.env,
        signal: new AbortController().signal,
      },
      clock: { ...systemClock, now: () => new Date(Date.now() + 8 * 86_400_000) },
      connection: async () => await Promise.resolve(connection),
      openDatabase: async () => await site.database.openDatabase(),
    });
    expect(finding).toMatchObject({
      status: 'warn',
      text: expect.stringMatching(/^kept for longer than 7 d: "t_\w+_before_\w+" \(.* MB, for 8 d\)$/),
      fix: expect.stringMatching(/^dropdb t_\w+_before_\w+$/),
    });
    expect(await drop(8)).toEqual([expect.stringMatching(/_before_/)]);
    expect(await site.remains()).toEqual({ databases: [], files: [] });
    await expect(site.settle('undo')).rejects.toMatchObject({
      message: expect.stringContaining('nothing to undo'),
    });

    await site.killedAt('after Cut over');
    expect(await drop(800)).toEqual([]);
    const needed = { action: 'keep', reason: expect.stringContaining('has not ended') };
    expect(await plan(800)).toMatchObject([needed]);
    expect(await site.settle('undo')).toMatchObject({ action: 'undone' });
  });
});

test(
  'every acknowledged insert is in the restored database or in the old one, and the report bounds how many',
  slow,
  async () => {
    await using site = await RestoreSite.open(set, 'bare');
    const { database } = site;
    await database.query('create table public.notes (n int)');
    const own = await takeBackup({ database, directory: place.path });
    const acknowledged: number[] = [];
    const stop = { now: false };
    const write = async (from: number) => {
      for (let n = from; !stop.now; n += 1) {
        try {
          const client = await database.connect();
          await client.query('insert into public.notes values ($1)', [n]);
          acknowledged.push(n);
          await client.end();
        } catch {
          // sent away, and nothing was acknowledged
        }
      }
    };
    const writing = Promise.all([write(0), write(1_000_000)]);
    const result = await restore({ database, set: own });
    const [late] = acknowledged.slice(-1);
    await expect.poll(() => acknowledged.at(-1) !== late).toBe(true);
    stop.now = true;
    await writing;
    const notesIn = async (name: string) => {
      const client = await database.connect({ database: name });
      const { rows } = await client.query<{ n: number }>('select n from public.notes');
      await client.end();
      return rows.map(({ n }) => n);
    };
    const [old, now] = [await notesIn(result.keptAs ?? ''), await notesIn(database.name)];
    // What was sent away at its commit may be there unacknowledged.
    expect(new Set([...old, ...now])).toEqual(new Set([...old, ...now, ...acknowledged]));
    expect(old.length).toBeGreaterThan(0);
    expect(result.laterTransactions).toBeGreaterThanOrEqual(old.length);
    expect(new Date(result.snapshotAt ?? 0).getTime()).toBeLessThan(
      new Date(result.cutOverAt ?? 0).getTime(),
    );
  },
);

test('how many transactions the old database holds is not said of a set of another database', async () => {
  await using site = await RestoreSite.open(set, 'bare');
  expect(await restored(site)).toMatchObject({ laterTransactions: null, snapshotAt: expect.any(String) });
});
