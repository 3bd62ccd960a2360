import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findScratchDatabases } from '../../../src/backups/restore/find-scratch-databases.ts';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { systemClock } from '../../../src/clock.ts';
import { TendError } from '../../../src/errors.ts';
import { progressToLog, silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { restoreHandler } from '../../../src/tasks/handlers/restore.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { companionsOf, configFor, restore, settle } from '../support/fixture.ts';
import { RestoreSite, takePages } from '../support/restore-site.ts';

/** As long as it takes on a busy machine. */
const patiently = { timeout: 60_000 };
const slow = { timeout: 120_000 };

let place: TemporaryDirectory;
let set: BackupSet;

beforeAll(async () => {
  place = await temporaryDirectory();
  set = await takePages(place.path);
});
afterAll(async () => await place[Symbol.asyncDispose]());

const nothing = { databases: [], files: [] };
const kept = { databases: ['before'], files: ['.before'] };

describe('a restore that is killed before the cut-over has changed nothing', slow, () => {
  test.each(['before Load the dump', 'before Cut over'])('%s', async (stop) => {
    await using site = await RestoreSite.open(set, 'bare');
    await site.killedAt(stop);
    const unpacked = join(place.path, '.tend-unpacked-dead00');
    mkdirSync(unpacked, { recursive: true });
    expect(await site.look()).toBe('old');
    expect(await site.doctor()).toMatchObject({
      status: 'warn',
      text: expect.stringContaining('before it had replaced anything'),
      fix: expect.stringMatching(/^tend restore --undo --confirm t_\w+ removes/),
    });
    expect(await site.settle(stop.includes('Load') ? 'undo' : 'resume')).toMatchObject({ action: 'swept' });
    expect(await site.remains()).toEqual(nothing);
    expect(existsSync(unpacked)).toBe(false);
    expect(await site.doctor()).toMatchObject({ status: 'ok' });
    await expect(site.settle('resume')).rejects.toMatchObject({ code: 'RESTORE_REFUSED' });
  });

  test('beside the live database leaves what doctor names: an unpacked dump, a database not even marked', async () => {
    await using site = await RestoreSite.open(set, 'bare');
    const { name } = site.database;
    const [scratch, unpacked] = [
      `${name}_tend_20261124_202754_8975`,
      join(place.path, '.tend-unpacked-dead00'),
    ];
    await site.database.query(`create database "${scratch}"`);
    mkdirSync(unpacked, { recursive: true });
    expect(await site.doctor()).toMatchObject({
      ...{ status: 'warn', text: expect.stringContaining(`in clear: ${unpacked}`) },
      fix: expect.stringContaining(`rm -r ${unpacked}`),
    });
    await using db = await site.database.openDatabase();
    const find = async (at: string) =>
      await findScratchDatabases(db, { database: name, clock: { now: () => new Date(at) } });
    expect(await find('2026-11-24T21:30:00Z')).toContain(scratch);
    // It may be in the making.
    expect(await find('2026-11-24T21:00:00Z')).not.toContain(scratch);
    await db.destroy();
    rmSync(unpacked, { recursive: true });
  });

  test('into a new database leaves one that the next restore, a resume or an undo drops, marked or not', async () => {
    await using site = await RestoreSite.open(set, 'bare');
    const { database } = site;
    const into = `${database.name}_copy`;
    await site.killedAt('before Load the dump', { into });
    const [orphan = ''] = await companionsOf(database);
    expect(orphan).toContain(`${into}_tend_`);
    expect(await site.doctor()).toMatchObject({
      ...{ status: 'warn', text: expect.stringContaining(`was killed while it restored into "${into}"`) },
    });
    // Killed before it was marked, only the journal tells whose it is.
    await database.query(`comment on database "${orphan}" is null`);
    expect(await restore({ database, set, into })).toMatchObject({ database: into });
    expect(await companionsOf(database)).toEqual([into]);
    for (const way of ['resume', 'undo'] as const) {
      await site.killedAt('before Compare', { into: `${into}_2` });
      expect(await companionsOf(database)).toHaveLength(2);
      expect(await site.settle(way)).toMatchObject({ action: 'swept', into: `${into}_2` });
      expect(await companionsOf(database)).toEqual([into]);
    }
    expect(await site.doctor()).toMatchObject({ status: 'ok' });
    expect(await site.look()).toBe('old');
  });

  test('and resumed by its task is begun anew, from the same set', async () => {
    await using site = await RestoreSite.open(set, 'bare');
    await site.killedAt('before Load the dump');
    const { database } = site;
    await using db = await database.openDatabase();
    const { outcome } = await restoreHandler.run({
      ...{ id: 0, kind: 'restore', attempt: 1, payload: { resume: true, confirm: database.name } },
      context: {
        ...{
          config: configFor({ directory: place.path }),
          baseDirectory: '/',
          connection: database.connection,
        },
        ...{ db, clock: systemClock, env: process.env, secrets: new SecretRegistry() },
      },
      ...{ signal: new AbortController().signal, log: silentLog, progress: progressToLog(silentLog) },
      enqueue: () => undefined,
    });
    expect(outcome).toBe('succeeded');
    expect(await database.query('select title from public.pages')).toEqual([{ title: 'a' }, { title: 'b' }]);
    expect(await site.remains()).toEqual({ databases: ['before'], files: [] });
  });

  test('in the middle of it, with the files renamed: the next restore takes them back first', async () => {
    await using site = await RestoreSite.open(set, 'bare');
    // Whoever holds the lock of the scratch database holds the second rename, when everybody has left already.
    const goOn = join(place.path, `${site.database.name}-go-on`);
    await site.start({ stop: 'before Cut over', goOn });
    const holder = await site.database.connect({ database: 'postgres' });
    const [name = ''] = await companionsOf(site.database);
    await holder.query('begin');
    await holder.query(
      `comment on database "${name}" is 'tend: a restore for database "${site.database.name}" that has not ended'`,
    );
    writeFileSync(goOn, '');
    await expect.poll(() => site.filesBeside(), patiently).toContain('.before');
    await site.kill();
    await holder.query('commit');
    await holder.end();
    await expect
      .poll(
        async () =>
          await site.database.query('select').then(
            () => 'back',
            () => 'away',
          ),
        patiently,
      )
      .toBe('back');
    expect(await site.database.query('select title from public.pages')).toEqual([{ title: 'new' }]);
    await restore({ database: site.database, set });
    expect(site.logo()).toBe('old');
  });
});

describe('a restore that is killed after the cut-over', slow, () => {
  test.each([
    { stop: 'after Cut over', way: 'resume' },
    { stop: 'after Cut over', way: 'undo' },
    { stop: 'before Restart', way: 'undo' },
    { stop: 'before Put the old database back', way: 'resume' },
  ] as const)('$stop: is in doubt, until somebody says --$way', async ({ stop, way }) => {
    await using site = await RestoreSite.open(set, 'bare');
    await site.killedAt(stop, { isIll: true });
    expect(await site.look()).toBe('restored');
    const { name } = site.database;
    expect(await site.doctor()).toMatchObject({
      status: 'fail',
      fix: `tend restore --resume --confirm ${name}, or to go back: tend restore --undo --confirm ${name}`,
    });
    await expect(restore({ database: site.database, set })).rejects.toMatchObject({
      ...{ code: 'RESTORE_UNFINISHED', exitCode: 75 },
      hint: expect.stringMatching(/--resume --confirm .*--undo --confirm /),
    });
    const calls: string[] = [];
    const app = {
      restart: async () => await Promise.resolve({ tookMs: calls.push('restart') }),
      check: async () => await Promise.resolve({ tries: calls.push('check'), tookMs: 0 }),
    };
    const settled = await site.settle(way, { app });
    expect(calls).toEqual(['restart', 'check']);
    expect(settled.action).toBe(way === 'resume' ? 'finished' : 'undone');
    expect(await site.look()).toBe(way === 'resume' ? 'restored' : 'old');
    expect(await site.remains()).toEqual(way === 'resume' ? kept : nothing);
    expect(await site.doctor()).toMatchObject({ status: 'ok' });
  });

  test('and whose application is not well when it is resumed is rolled back', async () => {
    await using site = await RestoreSite.open(set, 'bare');
    await site.killedAt('before Check');
    let checks = 0;
    const check = async () => {
      checks += 1;
      if (checks === 1) throw new TendError('APP_UNHEALTHY', 'The application is ill.');
      return await Promise.resolve({ tries: 1, tookMs: 0 });
    };
    await expect(site.settle('resume', { app: { check } })).rejects.toMatchObject({
      code: 'RESTORE_ROLLED_BACK',
    });
    expect(await site.look()).toBe('old');
    expect(await site.remains()).toEqual(nothing);
  });

  test('on its way back goes on that way, whichever is said', async () => {
    await using site = await RestoreSite.open(set, 'bare');
    await site.killedAt('after Put the old database back', { isIll: true });
    expect(await site.look()).toBe('old');
    expect(await site.doctor()).toMatchObject({
      status: 'fail',
      fix: `tend restore --undo --confirm ${site.database.name}`,
    });
    expect(await site.settle('resume')).toMatchObject({ action: 'undone' });
    expect(await site.look()).toBe('old');
    expect(await site.remains()).toEqual(nothing);
  });

  test('is undone by an undo that is killed itself, and then by another', async () => {
    await using site = await RestoreSite.open(set);
    await site.killedAt('after Cut over');
    await site.killedAt('after Put the old', { undo: true });
    expect(await site.settle('undo')).toMatchObject({ action: 'undone' });
    expect(await site.look()).toBe('old');
    expect(await site.remains()).toEqual(nothing);
    await expect(site.settle('undo')).rejects.toMatchObject({
      message: expect.stringContaining('was undone already'),
    });
  });

  test('without its journal is known by the mark on the kept database', async () => {
    await using site = await RestoreSite.open(set, 'bare');
    await site.killedAt('after Cut over');
    await using elsewhere = await temporaryDirectory();
    const directory = elsewhere.path;
    await expect(
      restore({ database: site.database, set, journalDirectory: join(directory, '.restores') }),
    ).rejects.toMatchObject({ code: 'RESTORE_UNFINISHED' });
    await settle({ database: site.database, directory, way: 'undo' });
    expect(await site.database.query('select title from public.pages')).toEqual([{ title: 'new' }]);
    await expect(settle({ database: site.database, directory, way: 'undo' })).rejects.toMatchObject({
      message: expect.stringContaining('undone already'),
    });
  });

  test('of a database that had been lost can only be finished', async () => {
    await using site = await RestoreSite.open(set, 'bare');
    const { database } = site;
    const server = await database.connect({ database: 'postgres' });
    await server.query(`drop database "${database.name}" with (force)`);
    await server.end();
    await site.killedAt('before Restart');
    expect(await site.doctor()).toMatchObject({ fix: `tend restore --resume --confirm ${database.name}` });
    await expect(site.settle('undo')).rejects.toMatchObject({
      ...{ code: 'RESTORE_REFUSED', hint: `Finish it: tend restore --resume --confirm ${database.name}` },
    });
    expect(await site.settle('resume')).toMatchObject({ action: 'finished', keptAs: null });
    expect(await database.query('select title from public.pages')).toEqual([{ title: 'a' }, { title: 'b' }]);
    expect(await site.doctor()).toMatchObject({ status: 'ok' });
  });
});
