import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createQueueSite, json, type QueueSite } from '../e2e/queue-site.ts';
import { runCliOnTerminal } from '../support/run-cli.ts';

let site: QueueSite;
let stranger: string;
const open: pg.Client[] = [];

beforeAll(async () => {
  site = await createQueueSite();
  stranger = `stranger_${randomBytes(4).toString('hex')}`;
  await site.database.query(`create role ${stranger} login connection limit 1000`);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.end().catch(() => {})));
});
afterAll(async () => {
  await site.database.query(`drop role ${stranger}`);
  await site[Symbol.asyncDispose]();
});

/** A session that stays until the test ends; its pid. */
async function session(application: string, config: pg.ClientConfig = {}, sql = 'select 1') {
  const client = await site.database.connect({ application_name: application, ...config });
  open.push(client);
  await client.query(sql);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return { client, pid: rows[0]?.pid ?? 0 };
}

const asStranger = () => ({
  PGUSER: stranger,
  TEND_DATABASE_URL: site.database.url.replace(/\/\/[^@]*@/, `//${stranger}@`),
});
const isThere = async (pid: number) =>
  (await site.database.query('select from pg_stat_activity where pid = $1', [pid])).length === 1;

describe('connections', () => {
  it('where no session is left says who can still look, with what command', async () => {
    await site.database.query(`alter role ${stranger} connection limit 0`);
    const result = await site.command(['connections', '--json'], asStranger());
    await site.database.query(`alter role ${stranger} connection limit 1000`);
    expect(json(result)).toMatchObject({
      error: { code: 'DATABASE_BUSY', hint: expect.stringContaining('tend connections --stale 1s') },
    });
  });

  it('groups sessions by application, user, client and state, with the oldest transaction', async () => {
    await session('grouped', {}, 'begin');
    await session('grouped', {}, 'begin');
    await session('grouped');
    const report = json(await site.command(['connections', '--json']));
    const group = { application: 'grouped', database: site.database.name, client: 'local', stale: 0 };
    expect(report.groups).toContainEqual(
      expect.objectContaining({
        ...group,
        state: 'idle in transaction',
        count: 2,
        oldestTransactionMs: expect.any(Number),
      }),
    );
    expect(report.groups).toContainEqual(
      expect.objectContaining({ ...group, state: 'idle', count: 1, oldestTransactionMs: null }),
    );
    expect(report).toMatchObject({ hidden: 0, maxConnections: expect.any(Number), used: expect.any(Number) });
  });

  it('leaves its own session out of the groups, and counts it', async () => {
    const { groups, ownPid, used } = json(await site.command(['connections', '--json']));
    expect(ownPid).toEqual(expect.any(Number));
    const listed = (groups as { count: number }[]).reduce((sum, { count }) => sum + count, 0);
    expect(used).toBe(listed + 1);
  });

  it('marks as stale what has been idle for longer than --stale says', async () => {
    const { pid } = await session('stale_one', {}, 'begin');
    const find = async (stale: string) =>
      (json(await site.command(['connections', '--stale', stale, '--json'])).stale as { pid: number }[]).map(
        (one) => one.pid,
      );
    expect(await find('1ms')).toContain(pid);
    expect(await find('1h')).not.toContain(pid);
  });

  it('shows who blocks whom as a tree', async () => {
    await site.database.query('create table if not exists locked (id int)');
    const first = await session('first', {}, 'begin; lock table locked');
    const second = await session('second');
    const third = await session('third');
    const waiting = [second, third].map(({ client }) =>
      client.query('begin; lock table locked').catch(() => {}),
    );
    const tree = async () => {
      const { blockers } = json(await site.command(['connections', '--json']));
      const root = (blockers as { pid: number; blocks: { pid: number }[] }[]).find(
        ({ pid }) => pid === first.pid,
      );
      return root?.blocks.map(({ pid }) => pid).sort((a, b) => a - b);
    };
    await expect.poll(tree).toEqual([second.pid, third.pid].sort((a, b) => a - b));
    const { stdout } = await runCliOnTerminal(['connections', '--no-color'], { cwd: site.path });
    expect(stdout).toMatch(/Blocks others: \d+ {2}first {2}user .* in its transaction for/);
    expect(stdout).toMatch(/waits: \d+ {2}second/);
    expect(stdout).toMatch(/\d+ of \d+ sessions are in use \(\d+ %\)/);
    await first.client.end();
    await Promise.all([second.client.end(), third.client.end(), ...waiting]);
  });

  it('names the roles that could take every session that is left, and their limits', async () => {
    await session('unlimited');
    await session('limited', { user: stranger });
    const { couldExhaust } = json(await site.command(['connections', '--json']));
    expect(couldExhaust).toContainEqual(
      expect.objectContaining({ user: site.database.connection.user, limit: null }),
    );
    expect(couldExhaust).toContainEqual({ user: stranger, sessions: 1, limit: 1000 });
  });

  it('says what is hidden from a role without pg_read_all_stats, which still sees who holds how many', async () => {
    await session('hidden_one', {}, 'begin');
    const result = await site.command(['connections', '--json'], asStranger());
    const { groups, hidden } = json(result);
    expect(hidden).toBeGreaterThanOrEqual(1);
    expect(groups).toContainEqual(
      expect.objectContaining({ application: 'hidden_one', state: null, client: null, count: 1 }),
    );
    const { stderr } = await site.command(['connections'], asStranger());
    expect(stderr).toMatch(/of \d+ sessions? are hidden from this role.*grant pg_read_all_stats/);
  });

  it('is one line a group when piped', async () => {
    const { stdout } = await site.command(['connections']);
    expect(stdout.split('\n')[0]?.split('\t').slice(0, 3)).toEqual(['APPLICATION', 'USER', 'DATABASE']);
  });

  it('refuses what is no duration with 64', async () => {
    expect((await site.command(['connections', '--stale', 'long'])).exitCode).toBe(64);
  });
});

describe('connections cancel and terminate', () => {
  it('terminate ends sessions, and cancel stops a statement and leaves its session', async () => {
    const [one, two, busy] = [await session('one'), await session('two'), await session('busy')];
    const stopped = busy.client.query('select pg_sleep(600)').catch((error: Error) => error.message);
    await expect
      .poll(() =>
        site.database.query(`select from pg_stat_activity where pid = $1 and state = 'active'`, [busy.pid]),
      )
      .toHaveLength(1);
    const ended = await site.tend([
      'connections',
      'terminate',
      String(one.pid),
      String(two.pid),
      '--yes',
      '--json',
    ]);
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(json(ended)).toMatchObject({
      sessions: [
        { pid: one.pid, application: 'one', result: 'has ended', error: null },
        { pid: two.pid, result: 'has ended' },
      ],
    });
    expect([await isThere(one.pid), await isThere(two.pid)]).toEqual([false, false]);
    const cancelled = await site.command(['connections', 'cancel', String(busy.pid), '--yes', '--json']);
    expect(json(cancelled)).toMatchObject({ sessions: [{ result: 'was told to stop its statement' }] });
    expect(await stopped).toContain('canceling statement');
    expect(await isThere(busy.pid)).toBe(true);
    const idle = await site.command(['connections', 'cancel', String(busy.pid), '--yes', '--json']);
    expect(json(idle)).toMatchObject({ sessions: [{ result: 'has no statement to cancel: idle' }] });
  });

  it('without a terminal and without --yes nothing is done', async () => {
    const { pid } = await session('kept');
    const { exitCode, stderr } = await site.tend(['connections', 'terminate', String(pid)]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('--yes') });
    expect(await isThere(pid)).toBe(true);
  });

  it('on a terminal it shows the sessions and asks, and Enter alone is no', async () => {
    const { pid } = await session('asked');
    const args = ['connections', 'terminate', String(pid)];
    const options = { cwd: site.path, typedAt: '[y/N]' };
    const no = await runCliOnTerminal(args, { ...options, stdin: '\r' });
    expect(no).toMatchObject({ exitCode: 64, stdout: expect.stringMatching(/asked {2}user/) });
    expect(await isThere(pid)).toBe(true);
    const yes = await runCliOnTerminal(args, { ...options, stdin: 'y\r' });
    expect(yes).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`Session ${pid} has ended.`) });
  });

  it.each(['cancel', 'terminate'])(
    '%s of a pid that is no session exits 66, of the session of a superuser 77',
    async (way) => {
      expect((await site.command(['connections', way, '2147483647', '--yes'])).exitCode).toBe(66);
      const { pid } = await session('super');
      const { exitCode, stderr } = await site.command(
        ['connections', way, String(pid), '--yes'],
        asStranger(),
      );
      expect({ exitCode, stderr }).toMatchObject({
        exitCode: 77,
        stderr: expect.stringContaining('superuser'),
      });
      expect(await isThere(pid)).toBe(true);
    },
  );

  it('of a process of the server exits 77', async () => {
    const [row] = await site.database.query(
      `select pid from pg_stat_activity where backend_type = 'checkpointer'`,
    );
    const { exitCode, stderr } = await site.command(['connections', 'terminate', String(row?.pid), '--yes']);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 77,
      stderr: expect.stringContaining('process of the server'),
    });
  });

  it('of a session of another role exits 77 where the server does not allow it, with the grant', async () => {
    const other = `${stranger}_2`;
    await site.database.query(`create role ${other} login`);
    try {
      const { pid, client } = await session('foreign', { user: other });
      const result = await site.command(['connections', 'terminate', String(pid), '--yes'], asStranger());
      const hint = `grant pg_signal_backend to ${stranger}, or grant ${other} to ${stranger}`;
      expect(result).toMatchObject({ exitCode: 77, stderr: expect.stringContaining(hint) });
      await client.end();
    } finally {
      await site.database.query(`drop role ${other}`);
    }
  });

  it('of several, exits 3 where one could not, and says what became of each', async () => {
    const { pid } = await session('mixed');
    const result = await site.command([
      'connections',
      'terminate',
      '2147483647',
      String(pid),
      '--yes',
      '--json',
    ]);
    expect(result.exitCode).toBe(3);
    expect(json(result)).toMatchObject({
      sessions: [
        { pid: 2147483647, result: 'refused', error: 'There is no session 2147483647.' },
        { pid, result: 'has ended', error: null },
      ],
    });
    const none = await site.command(['connections', 'terminate', '2147483646', '2147483647', '--yes']);
    expect(none.exitCode).toBe(66);
  });

  it.each([['0'], ['-1'], ['abc'], ['2147483648'], []])('refuses %j with 64', async (...pids: string[]) => {
    expect((await site.command(['connections', 'terminate', '--yes', ...pids])).exitCode).toBe(64);
  });
});
