import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { Config } from '../../../src/config/schema.ts';
import type { Database } from '../../../src/database/tables.ts';
import { progressToLog, silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import type { HandlerContext, TaskKind } from '../../../src/tasks/handlers/handler.ts';
import { knownKinds } from '../../../src/tasks/handlers/registry.ts';
import { runTaskNow } from '../../../src/tasks/run-task-now.ts';
import { runWithoutQueue } from '../../../src/tasks/run-without-queue.ts';
import { workerIdentity } from '../../../src/tasks/worker-identity.ts';
import { configFor, dropCompanions } from '../../backups/support/fixture.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';

let place: TemporaryDirectory;
let database: TestDatabase;
let db: Kysely<Database>;
let config: Config;
beforeEach(async () => {
  place = await temporaryDirectory();
  database = await createTestDatabase();
  db = await database.openDatabase('tend test');
  config = configFor({ directory: place.path });
  await database.query(`create table public.pages as select n from generate_series(1, 100) n`);
});
afterEach(async () => {
  await db.destroy();
  await dropCompanions(database);
  await database[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

function options(kind: string, payload: Record<string, unknown>) {
  const { connection } = database;
  const context: HandlerContext = {
    ...{ config, baseDirectory: place.path, connection, db },
    ...{ clock: systemClock, env: process.env, secrets: new SecretRegistry() },
  };
  const known = knownKinds(config).get(kind) as TaskKind; // these kinds are built in
  const live = { log: silentLog, progress: progressToLog(silentLog) };
  return { context, kind: known, payload, signal: new AbortController().signal, live };
}

async function runNow(kind: string, payload: Record<string, unknown> = {}) {
  return await runTaskNow({ ...options(kind, payload), worker: workerIdentity('testhost'), log: silentLog });
}

test('a backup leaves its evidence with the attempt and its row in tend.backups', async () => {
  const { taskId, evidence } = await runNow('backup', { label: 'by hand' });
  const [row] = await database.query(`select id, task_id::int, label, verified_at from tend.backups`);
  expect(row).toEqual({ id: evidence['id'], task_id: taskId, label: 'by hand', verified_at: null });
  expect(evidence).toMatchObject({
    database: database.name,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

test('files go into the set, and come back out beside the live ones only where a restore asks for them', async () => {
  const media = join(place.path, 'srv/media');
  mkdirSync(media, { recursive: true });
  writeFileSync(join(media, 'logo.png'), 'png');
  config = configFor({ directory: join(place.path, 'backups'), config: { files: [media] } });
  expect((await runNow('backup', { files: false })).evidence).toMatchObject({ files: null });
  const { evidence } = await runNow('backup');
  expect(evidence['files']).toMatchObject({ entries: 2, unreadable: { count: 0 }, changed: { count: 0 } });

  const source = String(evidence['id']);
  const without = { source, confirm: database.name, files: false };
  expect((await runNow('restore', without)).evidence).toMatchObject({ files: [] });
  // A restore that fails after they were unpacked leaves nothing of them.
  await database.query('truncate public.pages');
  const query = `psql -At -c 'select 1 / (count(*) = 0)::int from public.pages' '${database.url}'`;
  const check = { command: ['sh', '-c', query], status: 200, within: 300, steady: 1 };
  config = { ...config, app: { ...config.app, check } };
  const failing = runNow('restore', { source, confirm: database.name });
  await expect(failing).rejects.toMatchObject({ code: 'RESTORE_ROLLED_BACK' });
  expect(readdirSync(join(place.path, 'srv'))).toEqual(['media']);
  expect(readFileSync(join(media, 'logo.png'), 'utf8')).toBe('png');
});

test('a verified set is noted as verified', async () => {
  const { evidence } = await runNow('backup');
  await expect(runNow('verify-backup')).resolves.toMatchObject({ evidence: { id: evidence['id'] } });
  const [row] = await database.query(`select verified_at is not null as verified from tend.backups`);
  expect(row).toEqual({ verified: true });
});

test('a restore that replaces its own queue finds its task there and finishes it', async () => {
  await runNow('backup');
  await database.query('delete from public.pages');
  const { taskId, evidence } = await runNow('restore', { source: 'latest', confirm: database.name });
  expect(await database.query(`select count(*)::int as n from public.pages`)).toEqual([{ n: 100 }]);
  expect(await database.query(`select id::int, kind, state from tend.tasks order by id`)).toEqual([
    { id: taskId - 1, kind: 'backup', state: 'succeeded' },
    { id: taskId, kind: 'restore', state: 'succeeded' },
  ]);
  const [attempt] = await database.query(`select evidence from tend.attempts where task_id = $1`, [taskId]);
  expect(attempt).toEqual({ evidence });
});

test('an undo that works ends the hold of the restore and of every undo that failed before it', async () => {
  const well = join(place.path, 'well');
  const check = { command: ['test', '-e', well], status: 200, within: 0, steady: 1 };
  config = { ...config, app: { ...config.app, check } };
  await runNow('backup');
  const stuck = { code: 'RESTORE_STUCK', exitCode: 2 };
  const confirm = database.name;
  await expect(runNow('restore', { source: 'latest', confirm })).rejects.toMatchObject(stuck);
  await expect(runNow('restore', { undo: true, confirm })).rejects.toMatchObject(stuck);
  const states = `select state from tend.tasks where kind = 'restore' order by id`;
  expect(await database.query(states)).toEqual([{ state: 'held' }, { state: 'held' }]);
  writeFileSync(well, '');
  await expect(runNow('restore', { undo: true, confirm })).resolves.toMatchObject({
    evidence: { action: 'undone', resolvedTasks: [expect.any(Number), expect.any(Number)] },
  });
  expect(await database.query(states)).toEqual([
    { state: 'cancelled' },
    { state: 'succeeded' },
    { state: 'succeeded' },
  ]);
});

test('in a copy the task that took the backup is over, not held', async () => {
  await runNow('backup');
  const into = `${database.name}_copy`;
  const { evidence } = await runNow('restore', { source: 'latest', into });
  expect(evidence).toMatchObject({ database: into, heldTasks: 0 });
  const copy = await database.connect({ database: into });
  const { rows } = await copy.query(`select kind, state from tend.tasks`);
  await copy.end();
  expect(rows).toEqual([{ kind: 'backup', state: 'cancelled' }]);
});

test.each([{ confirm: undefined }, { confirm: 'another' }])(
  'a restore in place confirmed by $confirm is refused for good',
  async ({ confirm }) => {
    await runNow('backup');
    await expect(runNow('restore', { source: 'latest', ...(confirm && { confirm }) })).rejects.toMatchObject({
      code: 'CONFIRMATION_MISSING',
      exitCode: 64,
      isPermanent: true,
    });
  },
);

test('without the queue, backup, verify and restore work all the same', async () => {
  await database.query('drop schema tend cascade');
  await runWithoutQueue(options('backup', {}));
  await runWithoutQueue(options('verify-backup', {}));
  await database.query('delete from public.pages');
  await runWithoutQueue(options('restore', { source: 'latest', confirm: database.name }));
  expect(await database.query(`select count(*)::int as n from public.pages`)).toEqual([{ n: 100 }]);
});

test('with the database lost, restore brings it back', async () => {
  await runNow('backup');
  await db.destroy();
  const admin = await database.connect({ database: 'postgres' });
  await admin.query(`drop database ${database.name}`);
  await admin.end();
  db = await database.openDatabase('tend test');
  await runWithoutQueue(options('restore', { source: 'latest', confirm: database.name }));
  expect(await database.query(`select count(*)::int as n from public.pages`)).toEqual([{ n: 100 }]);
});

test('a set from elsewhere that others could have written is not restored', async () => {
  const { evidence } = await runNow('backup');
  const { chmodSync, mkdirSync, renameSync } = await import('node:fs');
  const elsewhere = `${place.path}/elsewhere`;
  mkdirSync(elsewhere);
  const path = `${elsewhere}/set`;
  renameSync(String(evidence['path']), path);
  config = configFor({ directory: `${place.path}/backups` });
  const payload = { source: path, into: `${database.name}_copy` };
  await expect(runNow('restore', payload)).resolves.toBeDefined();
  await dropCompanions(database);
  chmodSync(path, 0o777);
  await expect(runNow('restore', payload)).rejects.toMatchObject({ code: 'RESTORE_REFUSED' });
});
