import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { withoutConfig } from '../../../src/config/load-config.ts';
import { type Config, configSchema } from '../../../src/config/schema.ts';
import { silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import type { DoctorFacts, Finding } from '../../../src/report/doctor/doctor-check.ts';
import { doctorChecks } from '../../../src/report/doctor/doctor-checks.ts';
import { findBackupStatus } from '../../../src/report/find-backup-status.ts';
import { findHealth } from '../../../src/report/find-health.ts';
import { findStatus } from '../../../src/report/find-status.ts';
import { judgeStatus } from '../../../src/report/judge-status.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { createQueue, type Queue } from '../../tasks/support/queue.ts';
import { thisProgram } from '../support/this-program.ts';

let queue: Queue;
beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => {
  await queue.clear();
  await query('truncate tend.backups, tend.schedules');
  await query(`update tend.meta set created_at = now() - interval '1 year'`);
});

const query = async (sql: string, params: unknown[] = []) => await queue.database.query(sql, params);

const configOf = (backup: Partial<Config['backup']>, thresholds: object = {}): Config =>
  parse(configSchema, { backup, monitor: { thresholds } });

async function check(
  name: string,
  backup: Partial<Config['backup']> = {},
  limits: object = {},
): Promise<Finding> {
  const loaded = withoutConfig('/srv/cms');
  const config = configOf(backup, limits);
  const facts: DoctorFacts = {
    ...{
      loadedConfig: { ...loaded, config },
      configError: undefined,
      secrets: new SecretRegistry(),
      log: silentLog,
      program: thisProgram,
      host: 'web1',
      env: process.env,
    },
    ...{ clock: systemClock, signal: new AbortController().signal },
    connection: async () => queue.database.connection,
    openDatabase: async () => queue.db,
  };
  const found = doctorChecks.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no check ${name}`);
  return await found.run(facts);
}

interface Taken {
  hoursAgo: number;
  megabytes?: number;
  /** Hours ago. */
  verified?: number;
  tested?: number;
  error?: string;
  removed?: boolean;
  database?: string;
}

/** Puts a row of `tend.backups`, named by its age. */
async function taken({ hoursAgo, megabytes = 100, verified, tested, error, removed, database }: Taken) {
  const bytes = megabytes * 1e6;
  const manifest = {
    database: { sizeBytes: 2 * bytes },
    parts: [{ holds: 'database', uncompressedBytes: bytes }],
  };
  await query(
    `insert into tend.backups (id, host, directory, database_name, started_at, finished_at, bytes, sha256, manifest,
       verified_at, restore_tested_at, restore_ms, last_verify_error, last_verify_error_of, removed_at)
     select 'h' || $1::int, 'web1', '/b', coalesce($7, current_database()), at, at, $2, 'x', $3,
       now() - make_interval(hours => coalesce($4::int, $5::int)), now() - make_interval(hours => $5::int), case when $5::int is not null then 60000 end, $6,
       case when $6::text is not null then 'read' end, case when $8 then now() end
       from (select now() - make_interval(hours => $1::int) as at) t`,
    [hoursAgo, bytes / 4, JSON.stringify(manifest), verified, tested, error, database, removed ?? false],
  );
}

/** A daily schedule whose last occurrence was so many hours ago. */
const scheduled = async (hoursAgo: number) =>
  await query(
    `insert into tend.schedules (name, source, cron, kind, last_slot, next_slot)
     values ('nightly', 'sql', '30 2 * * *', 'backup', now() - make_interval(hours => $1::int), now() + make_interval(hours => 24 - $1::int))`,
    [hoursAgo],
  );

const days = (count: number) => count * 24;

describe('backup-age', () => {
  it.each<{ title: string; rows: Taken[]; slot?: number; status: Finding['status']; text: string }>([
    {
      title: 'last night',
      rows: [{ hoursAgo: 14 }],
      slot: 14,
      status: 'ok',
      text: 'the newest, h14, is 14 h old',
    },
    { title: 'it may still be under way', rows: [{ hoursAgo: 25 }], slot: 1, status: 'ok', text: 'h25' },
    {
      title: 'it was not made',
      rows: [{ hoursAgo: 38 }],
      slot: 14,
      status: 'fail',
      text: 'is missing: the newest good one is of',
    },
    {
      title: 'it is not good',
      rows: [{ hoursAgo: 14, error: 'x' }],
      slot: 14,
      status: 'fail',
      text: 'there is no good one',
    },
    {
      title: 'it was removed',
      rows: [{ hoursAgo: 14, removed: true }],
      slot: 14,
      status: 'fail',
      text: 'no good one',
    },
    {
      title: 'it is of another database',
      rows: [{ hoursAgo: 14, database: 'x' }],
      slot: 14,
      status: 'fail',
      text: 'no good one',
    },
    { title: 'without a schedule, this week', rows: [{ hoursAgo: days(6) }], status: 'ok', text: 'h144' },
    {
      title: 'without a schedule, long ago',
      rows: [{ hoursAgo: days(9) }],
      status: 'warn',
      text: 'no schedule takes another',
    },
  ])('$title: $status', async ({ rows, slot, status, text }) => {
    for (const row of rows) await taken(row);
    if (slot !== undefined) await scheduled(slot);
    expect(await check('backup-age')).toMatchObject({ status, text: expect.stringContaining(text) });
    const problems = (await findHealth(queue.db)).problems.filter((problem) =>
      problem.startsWith('the backup'),
    );
    expect(problems).toHaveLength(status === 'fail' ? 1 : 0);
  });

  it('a backup that runs is not missing, and a disabled schedule wants none', async () => {
    await scheduled(14);
    await query(`insert into tend.tasks (kind, state, lease_owner, lease_token, lease_until, started_at)
      values ('backup', 'running', 'w', gen_random_uuid(), now() + interval '1 hour', now())`);
    expect((await check('backup-age', { directory: '/b' })).status).toBe('warn');
    await query(`delete from tend.tasks; update tend.schedules set enabled = false`);
    expect((await check('backup-age')).status).toBe('ok');
  });

  it('a new installation has none, and that is all right; an old one is told', async () => {
    expect(await check('backup-age')).toEqual({ status: 'ok', text: 'no backups are taken here' });
    expect((await check('backup-age', { directory: '/b' })).status).toBe('warn');
    await query('update tend.meta set created_at = now()');
    expect(await check('backup-age', { directory: '/b' })).toEqual({
      status: 'ok',
      text: 'none yet: tend is new here',
    });
  });
});

describe('tend status judges the age of backups as doctor does', () => {
  const directory = '/b';
  it.each<{
    title: string;
    rows?: Taken[];
    slot?: number;
    isNew?: boolean;
    backup?: Partial<Config['backup']>;
    limits?: object;
    problem: string | undefined;
  }>([
    { title: 'none, in a new installation', isNew: true, backup: { directory }, problem: undefined },
    { title: 'none, where none is wanted', problem: undefined },
    { title: 'none for two days', backup: { directory }, problem: 'there is no good backup' },
    {
      title: 'none, in a new installation that has a limit',
      ...{ isNew: true, limits: { backup_age: '26h' }, problem: 'there is no good backup' },
    },
    {
      title: 'older than the limit',
      rows: [{ hoursAgo: 30 }],
      limits: { backup_age: '26h' },
      problem: '1 d 6 h old',
    },
    {
      title: 'within the limit',
      rows: [{ hoursAgo: days(9) }],
      limits: { backup_age: '10d' },
      problem: undefined,
    },
    {
      title: 'old, without a schedule',
      rows: [{ hoursAgo: days(9) }],
      problem: 'and no schedule takes another',
    },
    { title: 'not made by its schedule', rows: [{ hoursAgo: 38 }], slot: 14, problem: 'the backup due at ' },
  ])('$title: $problem', async ({ rows = [], slot, isNew = false, backup, limits, problem }) => {
    for (const row of rows) await taken(row);
    if (slot !== undefined) await scheduled(slot);
    if (isNew) await query('update tend.meta set created_at = now()');
    const config = configOf(backup ?? {}, limits);
    const { problems } = judgeStatus(await findStatus(queue.db), config);
    const finding = await check('backup-age', backup, limits);
    const said = problems.filter((one) => one.includes('backup'));
    expect(said).toEqual(problem === undefined ? [] : [finding.text]);
    expect(finding.text).toContain(problem ?? '');
    expect(finding.status === 'ok').toBe(problem === undefined);
  });

  it('and that none was verified for longer than [monitor.thresholds] verify_age', async () => {
    await taken({ hoursAgo: days(9), verified: 1 });
    const limits = { verify_age: '8d' };
    const { problems } = judgeStatus(
      await findStatus(queue.db),
      configOf({}, { ...limits, backup_age: '10d' }),
    );
    expect(problems).toContain('the newest verified backup is 9 d old');
    expect(await check('backup-verified', {}, limits)).toMatchObject({
      ...{ status: 'warn', text: 'the newest verified backup is 9 d old' },
    });
    expect(await check('backup-verified', {}, { verify_age: '10d' })).toMatchObject({ status: 'ok' });
  });
});

it.each<{
  name: string;
  title: string;
  rows: Taken[];
  keep?: number;
  status: Finding['status'];
  text: string;
}>([
  {
    name: 'backup-verified',
    title: 'new',
    rows: [{ hoursAgo: 5 }],
    status: 'ok',
    text: 'none was verified yet',
  },
  {
    name: 'backup-verified',
    title: 'never',
    rows: [{ hoursAgo: days(15) }],
    status: 'warn',
    text: 'ever verified',
  },
  {
    name: 'backup-verified',
    title: 'lately',
    rows: [{ hoursAgo: 5 }, { hoursAgo: days(20), verified: days(3) }],
    status: 'ok',
    text: '3 d ago',
  },
  {
    name: 'backup-verified',
    title: 'long ago',
    rows: [{ hoursAgo: days(20), verified: days(19) }],
    status: 'warn',
    text: '19 d ago',
  },
  {
    name: 'backup-verified',
    title: 'a bad one',
    rows: [
      { hoursAgo: 5, verified: 1 },
      { hoursAgo: 9, error: 'cut' },
    ],
    status: 'fail',
    text: '1 of 2 backup sets is not good, the newest of them "h9": cut',
  },
  { name: 'restore-test', title: 'new', rows: [{ hoursAgo: 5 }], status: 'ok', text: 'yet' },
  {
    name: 'restore-test',
    title: 'never',
    rows: [{ hoursAgo: days(46) }],
    status: 'warn',
    text: 'was ever restored',
  },
  {
    name: 'restore-test',
    title: 'lately',
    rows: [{ hoursAgo: days(9), tested: days(8) }],
    status: 'ok',
    text: '"h216" was restored 8 d ago, which took 1 m',
  },
  {
    name: 'restore-test',
    title: 'long ago',
    rows: [{ hoursAgo: days(60), tested: days(50) }],
    status: 'warn',
    text: '50 d ago',
  },
  { name: 'backup-size', title: 'the first', rows: [{ hoursAgo: 1 }], status: 'ok', text: 'no two' },
  {
    name: 'backup-size',
    title: 'as large',
    rows: [{ hoursAgo: 1, megabytes: 60 }, { hoursAgo: 2 }],
    status: 'ok',
    text: 'about as much',
  },
  {
    name: 'backup-size',
    title: 'shrunk',
    rows: [{ hoursAgo: 1, megabytes: 40 }, { hoursAgo: 2 }],
    status: 'warn',
    text: 'the newest, h1, holds 40.0 MB of database, the one before 100 MB',
  },
  {
    name: 'backup-size',
    title: 'shrunk, of what is small',
    rows: [
      { hoursAgo: 1, megabytes: 1 },
      { hoursAgo: 2, megabytes: 9 },
    ],
    status: 'ok',
    text: 'about',
  },
  {
    name: 'backup-count',
    title: 'the first',
    rows: [{ hoursAgo: 1 }],
    keep: 3,
    status: 'ok',
    text: '1 good',
  },
  {
    name: 'backup-count',
    title: 'too few',
    rows: [{ hoursAgo: 1 }, { hoursAgo: 2 }, { hoursAgo: 3, removed: true }],
    keep: 3,
    status: 'warn',
    text: '2 good backups are there, and 3 were taken',
  },
])('$name, $title: $status', async ({ name, rows, keep, status, text }) => {
  for (const row of rows) await taken(row);
  const found = await check(name, keep === undefined ? {} : { keep: { last: keep } });
  expect(found).toMatchObject({ status, text: expect.stringContaining(text) });
});

it('backup-task tells of a last backup that failed, and forgets it after the next', async () => {
  expect(await check('backup-task')).toMatchObject({ status: 'ok' });
  await query(`insert into tend.tasks (kind, state, last_error, finished_at)
    values ('backup', 'failed', 'disk full', now() - interval '1 hour')`);
  expect(await check('backup-task')).toMatchObject({
    ...{ status: 'fail', text: expect.stringMatching(/^the last one, task \d+, failed: disk full$/) },
    fix: expect.stringMatching(/^tend tasks show \d+$/),
  });
  await query(`insert into tend.tasks (kind, state, finished_at) values ('backup', 'succeeded', now())`);
  expect(await check('backup-task')).toMatchObject({ status: 'ok' });
});

it('backup-directory finds what is named like a set and is none', async () => {
  await using place = await temporaryDirectory();
  const directory = place.path;
  expect(await check('backup-directory', { directory })).toEqual({
    status: 'ok',
    text: `0 sets in ${directory}`,
  });
  mkdirSync(join(directory, '20261124T023000Z-beef'));
  expect(await check('backup-directory', { directory })).toMatchObject({
    ...{ status: 'fail', text: expect.stringContaining('"20261124T023000Z-beef": ') },
  });
});

it('status estimates how long restoring takes from the last test restore and the size of the database', async () => {
  await taken({ hoursAgo: 1, megabytes: 300 });
  await taken({ hoursAgo: 50, megabytes: 100, tested: 40 });
  await taken({ hoursAgo: 90, megabytes: 1, tested: 80 });
  expect(await findBackupStatus(queue.db)).toMatchObject({
    ...{ count: 3, newest: { id: 'h1', bytes: 75e6, verifiedAt: null, verifyError: null } },
    ...{ lastRestoreTest: { id: 'h50', restoreMs: 60_000 }, recoveryMs: 180_000 },
  });
});
