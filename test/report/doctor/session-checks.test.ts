import type { Kysely } from 'kysely';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/database/open-database.ts';
import type { Database } from '../../../src/database/tables.ts';
import type { Finding } from '../../../src/report/doctor/doctor-check.ts';
import { createApplicationRole } from '../../sql-api/support.ts';
import { type Cluster, startCluster } from '../../support/cluster.ts';
import { createTestDatabase } from '../../support/database.ts';
import { queryCluster } from '../../support/query-cluster.ts';
import { startStandby } from '../../support/standby.ts';
import { testRun } from '../../support/test-run.ts';
import { checkFacts, makeCheck } from '../support/check-facts.ts';

/** A server of its own: its sessions can be used up, and it keeps prepared transactions and slots. */
let cluster: Cluster;
const limits = { max_connections: '23', max_prepared_transactions: '2', wal_level: 'logical' };
const open: pg.Client[] = [];
const grant = 'As a superuser: grant pg_read_all_stats to "limited"';

beforeAll(async () => {
  cluster = await startCluster({
    parentDirectory: testRun().temporaryDirectory,
    settings: { ...limits, superuser_reserved_connections: '3', synchronous_commit: 'on' },
  });
  await queryCluster(cluster, 'create role limited login');
});
afterAll(async () => await cluster[Symbol.asyncDispose]());
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.end().catch(() => {})));
  const others = `select count(*)::int as count from pg_stat_activity where backend_type = 'client backend'`;
  await expect.poll(async () => await queryCluster(cluster, others)).toEqual([{ count: 1 }]);
});

async function session(application: string, user = cluster.superuser): Promise<pg.Client> {
  const { socketDirectory: host, port } = cluster;
  const client = new pg.Client({ host, port, user, database: 'postgres', application_name: application });
  client.on('error', () => {});
  await client.connect();
  open.push(client);
  return client;
}
const pidOf = async (client: pg.Client): Promise<number> =>
  (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0;

/**
 * The time of the server, and its count of transactions, as far in the future as told: sessions of the check find these
 * functions first.
 */
const later = (transactions = 0) => `-c search_path=later,pg_catalog -c later.transactions=${transactions}`;
async function playLater(): Promise<void> {
  await queryCluster(
    cluster,
    `create schema if not exists later;
     create or replace function later.clock_timestamp() returns timestamptz
       return pg_catalog.clock_timestamp() + interval '2 hours';
     create or replace function later.age(xid) returns int
       return pg_catalog.age($1) + coalesce(current_setting('later.transactions', true), '0')::int;
     grant usage on schema later to public`,
  );
}

async function check(name: string, given: { user?: string; options?: string } = {}): Promise<Finding> {
  const { user = cluster.superuser, options } = given;
  const db: Kysely<Database> = openDatabase({
    connection: {
      servers: [{ host: cluster.socketDirectory, port: cluster.port }],
      ...{ database: 'postgres', user, sslMode: 'prefer', targetSessionAttrs: 'any' },
      ...{ connectTimeoutMs: 10_000, origin: 'test', ...(options === undefined ? {} : { options }) },
    },
    applicationName: 'tend doctor',
  });
  try {
    return await makeCheck(name, checkFacts({ db }));
  } finally {
    await db.destroy();
  }
}

describe('connections', () => {
  it('that are three quarters used are yellow, nine tenths red, with the largest application and whom to end', async () => {
    const clients: pg.Client[] = [];
    for (let count = 0; count < 15; count++) clients.push(await session('cms-web'));
    expect(await check('connections')).toEqual({
      status: 'warn',
      text: `16 of 20 sessions are in use (80 %): 15 are "cms-web" of user "${cluster.superuser}"`,
      fix: 'tend connections --stale 1s, then tend connections terminate PID; for good: a smaller pool, or one that is closed',
    });
    for (let count = 0; count < 3; count++) await session('cms-worker');
    await playLater();
    const pids = await Promise.all(clients.map(pidOf));
    const finding = await check('connections', { options: later() });
    expect(finding).toMatchObject({
      status: 'fail',
      text: expect.stringContaining('19 of 20 sessions are in use (95 %): 15 are "cms-web"'),
      fix: expect.stringMatching(
        /^tend connections terminate (\d+ ){10}and 8 more of tend connections --stale 10m; for good: /,
      ),
    });
    expect(pids.some((pid) => finding.fix?.includes(` ${pid} `))).toBe(true);
  });
});

describe('idle-in-transaction', () => {
  it('names a transaction that was forgotten, and the command that ends it', async () => {
    await playLater();
    const client = await session('cms-batch');
    await client.query('begin; select 1');
    const pid = await pidOf(client);
    expect(await check('idle-in-transaction', { options: later() })).toEqual({
      status: 'warn',
      text: `1 for 10 m or longer, the oldest for 2 h: session ${pid}, "cms-batch", of user "${cluster.superuser}"`,
      fix: expect.stringMatching(new RegExp(`^tend connections terminate ${pid}, or for all: alter role "`)),
    });
  });
});

describe('xmin-horizon', () => {
  it('names a long transaction, and the command that ends it', async () => {
    await playLater();
    const client = await session('cms-report');
    await client.query('begin isolation level repeatable read; select 1');
    const pid = await pidOf(client);
    expect(await check('xmin-horizon')).toMatchObject({ status: 'ok' });
    expect(await check('xmin-horizon', { options: later() })).toEqual({
      status: 'warn',
      text: expect.stringMatching(
        new RegExp(
          `^dead rows stay because of the transaction of session ${pid} \\(cms-report user .*, open for 2 h`,
        ),
      ),
      fix: `tend connections terminate ${pid}`,
    });
  });

  it('names a prepared transaction that nobody has finished, and is red when transactions run out', async () => {
    await playLater();
    const client = await session('cms');
    await client.query(`begin; create table held (id int); prepare transaction 'order-7'`);
    try {
      expect(await check('xmin-horizon', { options: later(200_000_000) })).toEqual({
        status: 'fail',
        text: expect.stringContaining('the prepared transaction "order-7"'),
        fix: `In database "postgres": commit prepared 'order-7', or rollback prepared 'order-7'`,
      });
    } finally {
      await client.query(`rollback prepared 'order-7'`);
    }
  });

  it('names a replication slot that nobody reads', async () => {
    await playLater();
    await queryCluster(cluster, `select pg_create_logical_replication_slot('gone', 'test_decoding')`);
    try {
      expect(await check('xmin-horizon')).toMatchObject({ status: 'ok' });
      expect(await check('xmin-horizon', { options: later(1_000_000) })).toEqual({
        status: 'warn',
        text: expect.stringContaining('the replication slot "gone" (test_decoding)'),
        fix: "Start what reads it, or: select pg_drop_replication_slot('gone')",
      });
    } finally {
      await queryCluster(cluster, `select pg_drop_replication_slot('gone')`);
    }
  });
});

describe('a role without pg_read_all_stats', () => {
  it.each(['connections', 'idle-in-transaction', 'xmin-horizon'])(
    'does not call %s good: what it cannot see may be wrong',
    async (name) => {
      await playLater();
      const client = await session('hidden');
      await client.query('begin isolation level repeatable read; select 1');
      expect(await check(name, { user: 'limited', options: later() })).toEqual({
        status: 'warn',
        text: expect.stringMatching(
          /^limited: .*, as far as role "limited" can see: of \d+ sessions? of other roles state and transactions are hidden$/,
        ),
        fix: grant,
      });
      await queryCluster(cluster, 'grant pg_read_all_stats to limited');
      expect((await check(name, { user: 'limited' })).status).toBe('ok');
      await queryCluster(cluster, 'revoke pg_read_all_stats from limited');
    },
  );

  it('is content where there is no session but its own', async () => {
    expect((await check('xmin-horizon', { user: 'limited' })).status).toBe('ok');
  });
});

describe('privileges', () => {
  it('that are missing are named, with the role that has them', async () => {
    await using database = await createTestDatabase();
    await using role = await createApplicationRole(database);
    const connection = { ...database.connection, user: role.name };
    await using db = openDatabase({ connection, applicationName: 'test' });
    const [owner] = await database.query<{ name: string }>('select current_user::text as name');
    expect(await makeCheck('privileges', checkFacts({ db, connection }))).toEqual({
      status: 'fail',
      text: expect.stringMatching(
        new RegExp(`^role "${role.name}" may not read and write tend\\..*tend\\.tasks`),
      ),
      fix: `Connect as ${owner?.name}, who owns them: user=${owner?.name} in the settings from test`,
    });
    await database.query(`grant all on all tables in schema tend to ${role.name}`);
    expect(await makeCheck('privileges', checkFacts({ db, connection }))).toMatchObject({
      status: 'ok',
      text: expect.stringContaining('(pg_read_all_stats), and it cannot end them (pg_signal_backend)'),
    });
  });

  it('that were taken from the owner himself are granted again, and nobody is told to connect as who he is', async () => {
    await using database = await createTestDatabase();
    await using role = await createApplicationRole(database);
    const connection = { ...database.connection, user: role.name };
    await using db = openDatabase({ connection, applicationName: 'test' });
    await database.query(`grant all on all tables in schema tend to ${role.name}`);
    await database.query(`alter table tend.pauses owner to ${role.name}`);
    await database.query(`revoke all on tend.pauses from ${role.name}`);
    const { fix } = await makeCheck('privileges', checkFacts({ db, connection }));
    expect(fix).toBe(
      `psql: grant select, insert, update, delete on all tables in schema tend to ${role.name}`,
    );
    await database.query(`alter table tend.pauses owner to current_user`);
  });
});

// The last, since its standby leaves the primary waiting for it.
it('xmin-horizon names a replica with hot_standby_feedback, and what to do there', async () => {
  await playLater();
  const settings = { ...limits, hot_standby_feedback: 'on', wal_receiver_status_interval: '1' };
  await using standby = await startStandby(cluster, {
    parentDirectory: testRun().temporaryDirectory,
    settings,
  });
  await queryCluster(cluster, 'alter system reset synchronous_standby_names');
  await queryCluster(cluster, 'select pg_reload_conf()');
  const find = async () => await check('xmin-horizon', { options: later(1_000_000) });
  await expect.poll(async () => (await find()).status).toBe('warn');
  expect(await find()).toEqual({
    status: 'warn',
    text: expect.stringMatching(
      /the replica of session \d+ \(walreceiver user .*\) with hot_standby_feedback/,
    ),
    fix: 'On the replica: end its long query, or set hot_standby_feedback = off',
  });
  expect(standby.pid).toBeGreaterThan(0);
});
