import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { withoutConfig } from '../../../src/config/load-config.ts';
import { silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import type { Finding } from '../../../src/report/doctor/doctor-check.ts';
import { doctorChecks } from '../../../src/report/doctor/doctor-checks.ts';
import { createQueue, type Queue } from '../../tasks/support/queue.ts';
import { thisProgram } from '../support/this-program.ts';

let queue: Queue;
const open: pg.Client[] = [];
beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => {
  await queue.clear();
  await query('truncate tend.connection_samples, tend.mail_servers, tend.catalogs');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.end().catch(() => {})));
});

const query = async (sql: string, params: unknown[] = []) => await queue.database.query(sql, params);

async function session(application: string): Promise<pg.Client> {
  const client = await queue.database.connect({ application_name: application });
  open.push(client);
  return client;
}

async function check(name: string): Promise<Finding> {
  const found = doctorChecks.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no check ${name}`);
  const loaded = withoutConfig('/srv/cms');
  const mail = { ...loaded.config.mail, url: 'smtp://127.0.0.1:1' };
  return await found.run({
    ...{
      loadedConfig: { ...loaded, config: { ...loaded.config, mail } },
      configError: undefined,
      secrets: new SecretRegistry(),
      log: silentLog,
      program: thisProgram,
    },
    ...{ host: 'web1', env: process.env, clock: systemClock, signal: new AbortController().signal },
    connection: async () => queue.database.connection,
    openDatabase: async () => queue.db,
  });
}

/** Puts samples of the past: so many minutes ago, so many sessions of the application "web", and ten others. */
async function sampled(ages: readonly number[], web: (minutesAgo: number) => number): Promise<void> {
  await query(
    `insert into tend.connection_samples
     select now() - make_interval(mins => age), web + 10, 0, web, 0, jsonb_build_object('web', web, 'others', 10), 100
       from unnest($1::int[], $2::int[]) s (age, web)`,
    [ages, ages.map(web)],
  );
}

/** From so many minutes ago until now. */
const since = (minutesAgo: number, step = 1) =>
  Array.from({ length: Math.floor(minutesAgo / step) + 1 }, (_, n) => n * step);

describe('connection-trend', () => {
  it('sees real sessions that rise, names the application, and says when none is left', async () => {
    const application = `leak_${randomBytes(3).toString('hex')}`;
    for (let minute = 0; minute < 12; minute++) {
      await session(application);
      await query('select tend.sample_connections()');
      // The next minute begins. By way of a time that no sample has: the key is checked row by row.
      await query(`update tend.connection_samples set sampled_at = sampled_at + interval '999 years'`);
      await query(
        `update tend.connection_samples set sampled_at = sampled_at - interval '999 years 1 minute'`,
      );
    }
    const finding = await check('connection-trend');
    expect(finding).toMatchObject({
      status: expect.stringMatching(/warn|fail/), // by how many sessions the server takes
      text: expect.stringMatching(
        new RegExp(
          `sessions of "${application}" rose from 1 to 10 in 1[1-3] m, and none is left in \\d+ [mh]`,
        ),
      ),
      fix: expect.stringContaining('tend connections'),
    });
  });

  it.each<{ title: string; web: (hoursAgo: number) => number; status: Finding['status'] }>([
    { title: 'a leak over the day', web: (ago) => 10 + Math.round((24 - ago) * 2), status: 'warn' },
    {
      title: 'a leak that began three hours ago',
      web: (ago) => (ago > 3 ? 10 : 10 + Math.round((3 - ago) * 20)),
      status: 'warn',
    },
    { title: 'always the same', web: () => 80, status: 'ok' },
    {
      title: 'the load of a day',
      web: (ago) => Math.round(25 + 20 * Math.sin((ago / 24) * 2 * Math.PI)),
      status: 'ok',
    },
    { title: 'falling', web: (ago) => Math.round(ago * 2), status: 'ok' },
    { title: 'two more a day', web: (ago) => 10 + Math.round((24 - ago) / 12), status: 'ok' },
    {
      title: 'restarted a minute ago',
      web: (ago) => (ago < 0.2 ? 0 : 10 + Math.round(24 - ago)),
      status: 'ok',
    },
  ])('$title: $status', async ({ web, status }) => {
    await sampled(since(23 * 60, 10), (minutesAgo) => web(minutesAgo / 60));
    expect((await check('connection-trend')).status).toBe(status);
  });

  it('a rise that stopped is none, and a few samples say nothing', async () => {
    await sampled(since(5), (minutesAgo) => 50 - minutesAgo * 9);
    expect((await check('connection-trend')).status).toBe('ok');
    await query('truncate tend.connection_samples');
    await sampled(since(40), (minutesAgo) => Math.min(30, 40 - minutesAgo));
    expect((await check('connection-trend')).status).toBe('ok');
  });
});

describe('connections', () => {
  it('says how many sessions are left', async () => {
    expect(await check('connections')).toMatchObject({
      text: expect.stringMatching(/^\d+ of \d+ sessions are in use \(\d+ %\)/),
    });
  });
});

describe('idle-in-transaction and xmin-horizon', () => {
  it('a transaction that has just begun is none to speak of', async () => {
    const client = await session('short');
    await client.query('begin isolation level repeatable read; select 1');
    expect((await check('idle-in-transaction')).status).toBe('ok');
    expect((await check('xmin-horizon')).status).toBe('ok');
  });
});

describe('mail-servers, unknown-deliveries and catalogs', () => {
  it('a mail server that fails is named with its reason and how long, unless it was taken out of tend.toml', async () => {
    await query(`insert into tend.mail_servers (name, settings_fingerprint, failing_since, failures, failure_class, reason)
      values ('gone', 'x', now() - interval '1 day', 3, 'server', 'r')`);
    expect((await check('mail-servers')).status).toBe('ok');
    await query(`insert into tend.mail_servers (name, settings_fingerprint, failing_since, failures, failure_class, reason)
      values ('default', 'x', now() - interval '2 hours', 7, 'configuration', 'it refused the password')`);
    expect(await check('mail-servers')).toEqual({
      status: 'fail',
      text: '"default" fails for 2 h (7 times): it refused the password',
      fix: expect.stringContaining('[mail] in tend.toml'),
    });
  });

  it('a message of which nobody knows whether it has left is named by its task', async () => {
    const id = await queue.enqueue('send-mail');
    await query(`update tend.tasks set state = 'held', reason = 'outcome unknown' where id = $1`, [id]);
    expect((await check('unknown-deliveries')).status).toBe('ok');
    await query(
      `insert into tend.deliveries (task_id, message_id, envelope_from, recipients, raw, state) values ($1, '<a@b>', 'a@b', '[]', '', 'unknown')`,
      [id],
    );
    expect(await check('unknown-deliveries')).toMatchObject({
      status: 'warn',
      fix: expect.stringContaining(`tend tasks resolve ${id} --sent or --resend`),
    });
  });

  it('a catalog of this host that failed is named with the command that tries it; those of other hosts are theirs', async () => {
    const failed = (host: string) =>
      query(
        `insert into tend.catalogs (host, path, source_sha256, result, message) values ($1, '/srv/pl.po', 'x', 'failed', 'line 3: no')`,
        [host],
      );
    await failed('web2');
    expect((await check('catalogs')).status).toBe('ok');
    await failed('web1');
    expect(await check('catalogs')).toEqual({
      status: 'warn',
      text: '1 of 1 could not be compiled, the first of them /srv/pl.po: line 3: no',
      fix: 'tend compile-translations --check /srv/pl.po',
    });
  });
});

describe('privileges', () => {
  it('of the owner are enough', async () => {
    expect((await check('privileges')).status).toBe('ok');
  });
});

describe('what surrounds the queue', () => {
  it('a mail server that cannot be reached fails its handshake, with the reason', async () => {
    expect(await check('mail-handshake')).toMatchObject({
      status: 'fail',
      text: expect.stringMatching(/^"default": The mail server .*127\.0\.0\.1:1.* cannot be reached/),
      fix: expect.any(String),
    });
  });

  it('without [mail.dkim] and [app] there is nothing to find', async () => {
    expect(await check('dkim')).toEqual({ status: 'ok', text: 'messages are not signed here' });
    expect(await check('app')).toEqual({ status: 'ok', text: 'no application is configured' });
  });

  it('the free space of the data directory of a server on this host is told', async () => {
    expect((await check('disk-space')).text).toMatch(/\(\d+ %\) are free in .*, which holds the database/);
  });

  it('Node and the server agree on Warsaw, and a zone that one of them does not know is named', async () => {
    const schedule = `insert into tend.schedules (name, source, cron, kind, timezone) values`;
    await query('truncate tend.schedules');
    await query(`${schedule} ('a', 'sql', '0 4 * * *', 'noop', 'Europe/Warsaw')`);
    expect((await check('time-zones')).status).toBe('ok');
    await query(`${schedule} ('b', 'sql', '0 4 * * *', 'noop', 'Mars/Olympus')`);
    expect(await check('time-zones')).toMatchObject({
      status: 'warn',
      text: expect.stringContaining('Mars/Olympus is not known to both'),
    });
    await query('truncate tend.schedules');
  });
});
