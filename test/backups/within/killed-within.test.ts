import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SettledRestore } from '../../../src/backups/cut-over/settlement.ts';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { restoreWithin } from '../../../src/backups/within/restore-within.ts';
import { systemClock } from '../../../src/clock.ts';
import { withoutConfig } from '../../../src/config/load-config.ts';
import { TendError } from '../../../src/errors.ts';
import { progressToLog, silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { checkUnfinishedRestore } from '../../../src/report/doctor/check-unfinished-restore.ts';
import { thisProgram } from '../../report/support/this-program.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { configFor, settle, takeBackup } from '../support/fixture.ts';

const script = fileURLToPath(new URL('../support/restore-process.ts', import.meta.url));
const slow = { timeout: 120_000 };

let place: TemporaryDirectory;
let database: TestDatabase;
let set: BackupSet;
let child: ChildProcess | undefined;
beforeAll(async () => {
  place = await temporaryDirectory();
  database = await createTestDatabase();
  await database.query(`create table public.pages (title text)`);
  await database.query(`insert into public.pages values ('as dumped')`);
  set = await takeBackup({ database, directory: place.path });
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});
beforeEach(async () => await database.query(`update public.pages set title = 'live'`));
afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  for (const name of ['.restores', 'restarts'])
    rmSync(join(place.path, name), { recursive: true, force: true });
});

async function killedAt(stop: string): Promise<void> {
  const { connection } = database;
  const given = { connection, set: set.path, taskId: null, inPlace: true, stop };
  child = spawn(process.execPath, [script, JSON.stringify(given)], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout ?? child, 'data');
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

let restarts = 0;
const app = {
  restart: async () => {
    restarts += 1;
    return await Promise.resolve({ tookMs: 0 });
  },
  check: async () => await Promise.resolve({ tries: 1, tookMs: 0 }),
};

async function settled(way: 'resume' | 'undo', given: { app?: object } = {}): Promise<SettledRestore> {
  restarts = 0;
  return await settle({ database, directory: place.path, way, app, ...given });
}

async function restoreAgain() {
  const { connection } = database;
  await using db = await database.openDatabase();
  return await restoreWithin({
    ...{ set, connection, db, applicationName: 'tend restore test', into: undefined, app: {} },
    ...{ lockDirectory: undefined, journalDirectory: join(dirname(set.path), '.restores'), source: set.id },
    ...{ taskId: null, jobs: 1, keepReplacedMs: 0, toolsDirectory: undefined, workDirectory: place.path },
    ...{ clock: systemClock, env: process.env, secrets: new SecretRegistry(), log: silentLog },
    ...{ progress: progressToLog(silentLog), signal: new AbortController().signal, backUpFirst: undefined },
  });
}

async function doctor() {
  await using db = await database.openDatabase();
  return await checkUnfinishedRestore.run({
    loadedConfig: { ...withoutConfig('/'), config: configFor({ directory: place.path }) },
    ...{
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
}

const title = async () =>
  (await database.query<{ title: string }>('select title from public.pages'))[0]?.title;

describe('a restore in place that was killed', slow, () => {
  // Between the end of pg_restore and the line that tells of it, the tables alone tell.
  test.each(['after Load the dump', 'before Gather statistics'])(
    '%s is gone on with: the application is restarted and checked',
    async (stop) => {
      await killedAt(stop);
      expect(await title()).toBe('as dumped');
      expect(existsSync(join(place.path, 'restarts'))).toBe(false);
      expect(await doctor()).toMatchObject({
        status: 'fail',
        text: expect.stringContaining('has restored in place, and the application was not looked at'),
        fix: expect.stringMatching(/--resume .* restarts and checks .* there is no undo/),
      });
      await expect(restoreAgain()).rejects.toMatchObject({
        ...{ code: 'RESTORE_UNFINISHED', exitCode: 75, hint: expect.stringContaining('There is no undo') },
      });
      await expect(settled('undo')).rejects.toMatchObject({
        code: 'RESTORE_REFUSED',
        message: expect.stringContaining('was made in place, and kept no database'),
        hint: expect.stringContaining('First finish it: tend restore --resume'),
      });
      expect(await settled('resume')).toMatchObject({ action: 'finished', inPlace: true, backupId: set.id });
      expect(restarts).toBe(1);
      expect(await doctor()).toMatchObject({ status: 'ok' });
      await expect(settled('resume')).rejects.toMatchObject({ code: 'RESTORE_REFUSED' });
      await expect(settled('undo')).rejects.toMatchObject({
        hint: 'No set of the database from before was taken.',
      });
    },
  );

  test('before anything was replaced is in the way of nobody, and leaves no journal', async () => {
    await killedAt('before Load the dump');
    expect(await title()).toBe('live');
    expect(await doctor()).toMatchObject({ status: 'warn' });
    expect(await settled('resume')).toMatchObject({ action: 'swept', inPlace: true, source: set.path });
    expect(restarts).toBe(0);
    await killedAt('before Load the dump');
    expect(await restoreAgain()).toMatchObject({ backupId: set.id });
    expect(await title()).toBe('as dumped');
    expect(await doctor()).toMatchObject({ status: 'ok' });
  });

  test('is finished even where the application is not well with it, which is said', async () => {
    await killedAt('before Gather statistics');
    const check = async () => await Promise.reject(new TendError('APP_UNHEALTHY', 'It answers 500.'));
    await expect(settled('resume', { app: { ...app, check } })).rejects.toMatchObject({
      code: 'APP_UNHEALTHY',
    });
    expect(await doctor()).toMatchObject({ status: 'ok' });
    expect(readFileSync(join(set.path, 'manifest.json'), 'utf8')).toContain(set.id);
  });
});
