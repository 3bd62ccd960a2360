import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { parse } from 'valibot';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { systemClock } from '../../../src/clock.ts';
import type { Database } from '../../../src/database/tables.ts';
import { progressToLog, silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { verifyBackupHandler } from '../../../src/tasks/handlers/verify-backup.ts';
import { cloneSet } from '../../backups/support/clone-set.ts';
import {
  companionsOf,
  configFor,
  dropCompanions,
  fixtureSql,
  takeBackup,
} from '../../backups/support/fixture.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startCli } from '../../support/run-cli.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';

let database: TestDatabase;
let db: Kysely<Database>;
let place: TemporaryDirectory;
let original: BackupSet;
/** A fresh copy of the original for each test. */
let set: BackupSet;

beforeAll(async () => {
  database = await createTestDatabase();
  db = await database.openDatabase();
  place = await temporaryDirectory();
  await database.query(fixtureSql);
  // While the role's setting says so, it lasts to build the index, until a session comes that makes it fail: loading the dump
  // can be looked at in its midst.
  await database.query(`
    create function public.dally(n int) returns int immutable language plpgsql as $$
      begin
        if current_setting('${database.name}.dallies', true) = 'yes' then
          for i in 1..1200 loop
            perform pg_sleep(0.05);
            perform pg_stat_clear_snapshot();
            if exists (select from pg_stat_activity where application_name = '${database.name} fail') then
              raise exception 'it was told to fail';
            end if;
          end loop;
        end if;
        return n;
      end $$;
    create index events_slowly on public.events (public.dally(n))`);
  original = await takeBackup({ database, directory: place.path });
});
afterAll(async () => {
  await dally('reset');
  await db.destroy();
  await dropCompanions(database);
  await database[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});
let taken = 0;
beforeEach(async () => {
  taken += 1;
  set = await cloneSet(original, { at: new Date(Date.now() + taken * 60_000) });
});
afterEach(async () => await dropCompanions(database));

async function dally(how: 'set' | 'reset'): Promise<void> {
  const setting = `"${database.name}".dallies`;
  await database.query(`alter role current_user ${how} ${setting}${how === 'set' ? ` = 'yes'` : ''}`);
}

async function verify(given: { restore?: boolean } = {}, signal = new AbortController().signal) {
  const payload = parse(verifyBackupHandler.payloadSchema, { id: set.id, ...given });
  const context = {
    ...{
      config: configFor({ directory: place.path }),
      baseDirectory: '/',
      connection: database.connection,
      db,
    },
    ...{ clock: systemClock, env: process.env, secrets: new SecretRegistry() },
  };
  const task = { id: 1, kind: 'verify-backup', attempt: 1, payload, context, signal, log: silentLog };
  return await verifyBackupHandler.run({
    ...task,
    progress: progressToLog(silentLog),
    enqueue: () => undefined,
  });
}

const recorded = async () =>
  (
    await database.query(
      `select verified_at is not null as verified, restore_tested_at = verified_at as tested, restore_ms as ms,
              last_verify_error as error from tend.backups where id = $1`,
      [set.id],
    )
  )[0];

async function until(look: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((done) => setTimeout(done, 50)))
    if (await look()) return;
  throw new Error('It did not come to pass.');
}
const isLoading = async () => {
  const rows = await database.query(
    `select from pg_stat_activity where datname like $1 and query ~ '^CREATE INDEX events_20'`,
    [`${database.name}_verify_%`],
  );
  return rows.length > 0;
};

it('reading a set notes that it is good, also one that the queue did not know', async () => {
  await verify();
  expect(await recorded()).toEqual({ verified: true, tested: null, ms: null, error: null });
  expect(await companionsOf(database)).toEqual([]);
});

it('a test restore leaves no database, touches no live row, and notes how long it took', async () => {
  const changes = `select n_tup_ins + n_tup_upd + n_tup_del as n from pg_stat_user_tables where relname = 'pages'`;
  const [before] = await database.query(changes);
  expect(await verify({ restore: true })).toMatchObject({ evidence: { restoreMs: expect.any(Number) } });
  const ms = expect.stringMatching(/^[1-9]\d*$/);
  expect(await recorded()).toEqual({ verified: true, tested: true, ms, error: null });
  expect(await companionsOf(database)).toEqual([]);
  expect(await database.query(changes)).toEqual([before]);
});

it('a set that holds other rows than its manifest counted does not pass, and reading it does not clear it of that', async () => {
  const file = join(set.path, 'manifest.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"rows":\s*500/, '"rows": 501'));
  await expect(verify({ restore: true })).rejects.toMatchObject({
    ...{ code: 'BACKUP_DAMAGED', exitCode: 65, isPermanent: true },
    message: expect.stringContaining('table "public"."pages" has 500 rows, expected 501'),
  });
  expect(await companionsOf(database)).toEqual([]);
  const error = expect.stringContaining('expected 501');
  expect(await recorded()).toMatchObject({ verified: false, error });
  await verify();
  expect(await recorded()).toMatchObject({ verified: true, tested: null, error });
  writeFileSync(file, readFileSync(file, 'utf8').replace('"rows": 501', '"rows": 500'));
  await verify({ restore: true });
  expect(await recorded()).toMatchObject({ tested: true, error: null });
});

it('damage that reading finds is noted, and taken back by reading it whole', async () => {
  const file = join(set.path, 'database.dump.zst');
  const whole = readFileSync(file);
  appendFileSync(file, 'x');
  await expect(verify({ restore: true })).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  expect(await recorded()).toMatchObject({ verified: false, error: expect.stringContaining('bytes, not') });
  writeFileSync(file, whole);
  await verify();
  expect(await recorded()).toMatchObject({ verified: true, error: null });
});

it('what the server lacks is no fault of the set', async () => {
  const file = join(set.path, 'manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...manifest, roles: ['nobody-here'] }));
  await expect(verify({ restore: true })).rejects.toMatchObject({
    ...{ code: 'RESTORE_REFUSED', message: expect.stringContaining('role "nobody-here"') },
  });
  expect(await recorded()).toBeUndefined();
});

it('stopped in the middle, it drops its database and blames nobody; a second one waits for its turn', async () => {
  await dally('set');
  const stop = new AbortController();
  const first = verify({ restore: true }, stop.signal).catch((error: unknown) => error);
  await until(isLoading);
  await expect(verify({ restore: true })).rejects.toMatchObject({ code: 'BACKUP_BUSY', exitCode: 75 });
  stop.abort(new Error('enough'));
  expect(await first).toMatchObject({ message: 'enough' });
  await dally('reset');
  expect(await companionsOf(database)).toEqual([]);
  expect(await recorded()).toBeUndefined();
});

type EndLater = AsyncDisposableStack;

/** Does `meanwhile` while a test restore loads the dump, and gives how that failed. */
async function failedAfter(meanwhile: (later: EndLater) => Promise<unknown>): Promise<unknown> {
  await using later = new AsyncDisposableStack();
  later.defer(async () => await dally('reset'));
  await dally('set');
  const failing = verify({ restore: true }).catch((error: unknown) => error);
  await until(isLoading);
  await meanwhile(later);
  return await failing;
}

async function tellToFail(later: EndLater): Promise<void> {
  const session = await database.connect({ application_name: `${database.name} fail` });
  later.defer(async () => await session.end());
}

/** Ends sessions of tend that are not connected to the live database. */
async function endSessions(where: string): Promise<void> {
  const ended = await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname <> current_database() and ${where}`,
  );
  expect(ended).not.toEqual([]);
}
const ofLoading = () => `datname like '${database.name}_verify_%'`;
const ofMaintenance = () => `application_name = 'tend verify-backup ${hostname()}:${process.pid}'`;

it('a dump that pg_restore fails with does not pass', async () => {
  expect(await failedAfter(tellToFail)).toMatchObject({
    ...{ code: 'BACKUP_DAMAGED', exitCode: 65 },
    message: expect.stringContaining('it was told to fail'),
  });
  expect(await recorded()).toMatchObject({ error: expect.stringContaining('it was told to fail') });
});

it.each([
  ['whose session is ended while it loads', async () => await endSessions(ofLoading())],
  ['whose statement is cancelled', cancelLoading],
  [
    'whose server goes away',
    async () => {
      await endSessions(`(${ofLoading()} or ${ofMaintenance()})`);
    },
  ],
  [
    'that fails after its server has gone away and come back',
    async (later: EndLater) => {
      await endSessions(ofMaintenance());
      await tellToFail(later);
    },
  ],
])('a test restore %s says nothing about the set', async (_what, meanwhile) => {
  const error = await failedAfter(meanwhile);
  expect(error).toMatchObject({ code: expect.stringMatching(/^(DATABASE_CONNECTION_LOST|TOOL_FAILED)$/) });
  if (meanwhile !== cancelLoading)
    expect(error).toMatchObject({
      ...{ code: 'DATABASE_CONNECTION_LOST', exitCode: 69, isPermanent: false },
      message: expect.stringContaining(`"${set.id}" could not be verified: `),
      hint: `Nothing is known against it. Try again: tend backup verify ${set.id} --restore`,
    });
  expect(await recorded()).toBeUndefined();
  expect(await companionsOf(database)).toEqual([]);
});

async function cancelLoading(): Promise<void> {
  await database.query(`select pg_cancel_backend(pid) from pg_stat_activity where ${ofLoading()}`);
}

it('killed with -9 it leaves a database, which the next one drops', async () => {
  const toml = `[database]\nurl = ${JSON.stringify(database.url)}\n[backup]\ndirectory = "."\n`;
  writeFileSync(join(place.path, 'tend.toml'), toml);
  await dally('set');
  const cli = await startCli(['backup', 'verify', set.id, '--restore'], { cwd: place.path });
  await until(isLoading);
  cli.child.kill('SIGKILL');
  await cli.result;
  await dally('reset');
  expect(await companionsOf(database)).toHaveLength(1);
  await until(async () => !(await isLoading()));
  await verify({ restore: true });
  expect(await companionsOf(database)).toEqual([]);
});
