import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CliResult } from '../support/run-cli.ts';
import { createQueueSite, type QueueSite, scriptKind } from './queue-site.ts';

let site: QueueSite;

beforeAll(async () => {
  site = await createQueueSite(
    [
      '[tasks]\ngrace = "1s"\n',
      scriptKind(
        'long',
        'touch "started-$TEND_TASK_ID"; echo x >> "started-$TEND_TASK_ID"; sleep 600 & wait',
      ),
      scriptKind('fails', 'exit 65'),
    ].join(''),
  );
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());

/** A tick in the middle of a command that lasts. */
async function longTick() {
  const id = await site.enqueue('long');
  const tick = await site.start(['run-due-tasks', '--task', String(id)]);
  await expect.poll(() => site.lines(`started-${id}`)).toEqual(['x']);
  return tick;
}

describe('an idle tick', () => {
  it('loads of Node neither crypto nor worker threads, neither timers of performance nor promises of files', async () => {
    await site.tend(['run-due-tasks', '--kind', 'noop']);
    const tell = "process.on('exit',()=>console.error(process.moduleLoadList.join()))";
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${tell}` };
    const { exitCode, stderr } = await site.tend(['run-due-tasks', '--kind', 'noop'], { env });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('NativeModule net');
    expect(stderr).not.toMatch(/NativeModule (crypto|worker_threads|perf_hooks|fs\/promises|tls)\b/);
  });
});

describe('while a command works', () => {
  it('tend holds no session, from a moment after its start to the next heartbeat', async () => {
    const tick = await longTick();
    await expect.poll(() => site.sessions()).toEqual([]);
    // The heartbeat comes after twenty seconds: until then nothing may connect.
    for (let look = 0; look < 10; look++) {
      expect(await site.sessions()).toEqual([]);
      await sleep(100);
    }
    tick.child.kill('SIGTERM');
    expect(await tick.result).toMatchObject({ exitCode: 143 });
    expect(await site.sessions()).toEqual([]);
  });
});

describe('while many tasks are worked off at once', () => {
  it('tend holds one session at most, named after the command, the host and the process', async () => {
    await site.database.query(`select tend.enqueue('noop') from generate_series(1, 5000)`);
    const tick = await site.start(['run-due-tasks', '--drain', '--kind', 'noop', '--concurrency', '24']);
    const seen: string[][] = [];
    const observer = await site.database.connect();
    while (tick.child.exitCode === null) {
      const { rows } = await observer.query<{ name: string }>(
        `select application_name as name from pg_stat_activity
          where datname = current_database() and application_name <> 'test'`,
      );
      seen.push(rows.map(({ name }) => name));
    }
    await observer.end();
    expect(await tick.result).toMatchObject({ exitCode: 0 });
    expect(Math.max(...seen.map((names) => names.length))).toBe(1);
    // A session that is being opened has no name yet.
    const [name, ...others] = new Set(seen.flat().filter((one) => one !== ''));
    expect(name).toMatch(new RegExp(`^tend run-due-tasks .+:${tick.pid}$`));
    expect(others).toEqual([]);
    expect(await site.sessions()).toEqual([]);
  });
});

describe('after its end tend leaves no session', () => {
  const endings: [string, number, () => Promise<CliResult>][] = [
    ['with nothing to do', 0, () => site.tend(['run-due-tasks', '--kind', 'noop'])],
    ['with a failed task', 3, async () => await failing()],
    ['with an error', 66, () => site.tend(['run-due-tasks', '--task', '999999'])],
    ['of another command', 0, () => site.tend(['tasks', '--all'])],
    ['of a command that failed', 66, () => site.tend(['tasks', 'show', '999999'])],
  ];
  it.each(endings)('%s', async (_name, exitCode, run) => {
    expect(await run()).toMatchObject({ exitCode });
    expect(await site.sessions()).toEqual([]);
  });

  it('by kill -9', async () => {
    const tick = await longTick();
    tick.child.kill('SIGKILL');
    await tick.result;
    await expect.poll(() => site.sessions()).toEqual([]);
  });

  it('by kill -9 in the middle of a drain', async () => {
    await site.database.query(`select tend.enqueue('noop') from generate_series(1, 20000)`);
    const tick = await site.start(['run-due-tasks', '--drain', '--kind', 'noop']);
    await expect.poll(() => site.sessions(), { interval: 5 }).toHaveLength(1);
    tick.child.kill('SIGKILL');
    expect(await tick.result).toMatchObject({ signal: 'SIGKILL' });
    await expect.poll(() => site.sessions()).toEqual([]);
    await site.database.query('truncate tend.tasks cascade');
  });
});

async function failing(): Promise<CliResult> {
  await site.enqueue('fails');
  return await site.tend(['run-due-tasks', '--kind', 'fails']);
}
