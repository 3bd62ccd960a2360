import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { markedProcesses } from '../processes/support/marked-processes.ts';
import { newMark } from '../processes/support/tool-call.ts';
import { createQueueSite, json, type QueueSite } from './queue-site.ts';

let site: QueueSite;

const modules: Record<string, string> = {
  'sync-crm.ts': `
    import { defineTask, OutcomeUnknown, PermanentError, Postpone } from 'tend';

    export default defineTask({
      payload: (input) => {
        if (typeof input['customer'] !== 'number') throw new Error('customer: a number was expected');
        return { customer: input['customer'] };
      },
      async run({ payload, task, log, progress, enqueue, idempotencyKey }) {
        if (payload.customer === 404) throw new PermanentError('there is no customer 404');
        if (payload.customer === 503) throw new Postpone({ delayMs: 600_000, reason: 'the service is closed' });
        if (payload.customer === 504) throw new OutcomeUnknown('the service did not answer');
        log.info(\`attempt \${task.attempt}\`);
        await progress.step('Send', async (report) => report(idempotencyKey.slice(0, 5)));
        enqueue({ kind: 'noop', payload: { customer: payload.customer }, uniqueKey: \`tell-\${payload.customer}\` });
        return { customer: payload.customer };
      },
    });`,
  'environment.js': `export default { run: () => ({ env: process.env, argv: process.argv }) };`,
  'blocks.mjs': `
    export default { run() { const end = Date.now() + 9000; while (Date.now() < end); return { done: true }; } };`,
  'pool.mjs': `
    import { existsSync, writeFileSync } from 'node:fs';
    export default { async run() {
      setInterval(() => {}, 1000);
      writeFileSync('pool-started', 'x');
      while (!existsSync('pool-go')) await new Promise((resolve) => setTimeout(resolve, 50));
    } };`,
  'endless.mjs': `
    import { spawn } from 'node:child_process';
    import { writeFileSync } from 'node:fs';
    export default { async run() {
      spawn('sleep', ['600'], { stdio: 'ignore' });
      writeFileSync('endless-started', 'x');
      for (;;);
    } };`,
  'chain.mjs': `
    export default { run({ enqueue }) { enqueue({ kind: 'noop', payload: { next: true } }); } };`,
};

const kinds = (lease = '60s') => `
[tasks]
lease = "${lease}"
grace = "1s"
${Object.keys(modules)
  .map((file) => `[tasks.kinds.${file.replace(/\.\w+$/, '')}]\nmodule = "./tasks/${file}"\nenv = ["MARK"]\n`)
  .join('')}`;

beforeAll(async () => {
  site = await createQueueSite(kinds());
  await mkdir(join(site.path, 'tasks'));
  for (const [file, source] of Object.entries(modules))
    await writeFile(join(site.path, 'tasks', file), source);
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());

async function shown(id: number): Promise<Record<string, unknown>> {
  return Object(json(await site.tend(['tasks', 'show', String(id), '--json']))['task']);
}

async function appears(name: string): Promise<void> {
  await expect.poll(() => existsSync(join(site.path, name))).toBe(true);
  await rm(join(site.path, name));
}

describe('a module', () => {
  it('runs in a tick, leaves its evidence, its output and its follow-up task, and shows them', async () => {
    const id = await site.enqueue('sync-crm', { customer: 7 });
    const tick = await site.tend(['run-due-tasks', '--kind', 'sync-crm']);
    expect(tick).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    const task = await shown(id);
    expect(task).toMatchObject({
      state: 'succeeded',
      attempts: [
        {
          ...{ outcome: 'succeeded', exitCode: 0, evidence: { customer: 7 } },
          outputTail: 'attempt 1\nSend\nSend: tend-\n',
        },
      ],
      enqueued: [{ id: id + 1, kind: 'noop', state: 'waiting' }],
    });
    expect(await shown(id + 1)).toMatchObject({
      enqueuedBy: id,
      uniqueKey: 'tell-7',
      payload: { customer: 7 },
    });
    const { stdout } = await site.tend(['tasks', 'show', String(id)]);
    expect(stdout).toContain('  evidence: {"customer":7}\n');
    expect(stdout).toContain(`Enqueued task ${id + 1} · noop · waiting\n`);
  });

  it.each([
    [
      { customer: 'x' },
      3,
      {
        state: 'failed',
        lastError: 'The payload does not fit kind "sync-crm": customer: a number was expected',
      },
    ],
    [
      { customer: 404 },
      3,
      { state: 'failed', reason: 'permanent error', lastError: 'there is no customer 404' },
    ],
    [{ customer: 503 }, 0, { state: 'waiting', reason: 'the service is closed', attempt: 0 }],
    [{ customer: 504 }, 3, { state: 'held', reason: 'outcome unknown: the service did not answer' }],
  ])('ends %j with exit code %i of the tick', async (payload, exitCode, ending) => {
    const id = await site.enqueue('sync-crm', payload);
    expect((await site.tend(['run-due-tasks', '--task', String(id)])).exitCode).toBe(exitCode);
    expect(await shown(id)).toMatchObject({ ...ending, enqueued: [] });
  });

  it('works as docs/handlers.md shows it', async () => {
    const text = await readFile(new URL('../../docs/handlers.md', import.meta.url), 'utf8');
    const example = /```ts\n(\/\/ tasks\/sync-crm\.ts\n.*?)```/s.exec(text)?.[1];
    await writeFile(join(site.path, 'tasks/documented.ts'), example ?? '');
    await site.configure('[tasks.kinds.documented]\nmodule = "./tasks/documented.ts"\nenv = ["CRM_URL"]\n');
    const keys = new Set<unknown>();
    const answers = [500, 429, 200];
    const service = createServer(({ headers }, response) => {
      keys.add(headers['idempotency-key']);
      response.writeHead(answers.shift() ?? 404).end();
    }).listen(0, '127.0.0.1');
    await once(service, 'listening');
    const env = { CRM_URL: `http://127.0.0.1:${Object(service.address()).port}` };
    const id = await site.enqueue('documented', { customer: 7 });
    for (const _try of [...answers]) {
      await site.database.query('update tend.tasks set run_at = now() where id = $1', [id]);
      await site.tend(['run-due-tasks', '--kind', 'documented'], { env });
    }
    const task = await shown(id);
    expect(task).toMatchObject({
      ...{ state: 'succeeded', attempt: 2, enqueued: [{ kind: 'refresh-page', state: 'waiting' }] },
      attempts: [
        { outcome: 'failed', error: 'the CRM answered 500' },
        { outcome: 'postponed' },
        { outcome: 'succeeded', evidence: { customer: 7, status: 200 } },
      ],
    });
    expect(keys.size).toBe(1);
    const unknown = await site.enqueue('documented', { customer: 8 });
    await site.tend(['run-due-tasks', '--kind', 'documented'], { env });
    expect(await shown(unknown)).toMatchObject({ state: 'failed', lastError: 'the CRM knows no customer 8' });
    service.close();
    await site.configure(kinds());
  });

  it('may import from the package that its project has installed', async () => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    await mkdir(join(site.path, 'node_modules'));
    await symlink(root, join(site.path, 'node_modules/tend'));
    const id = await site.enqueue('sync-crm', { customer: 8 });
    await site.tend(['run-due-tasks', '--task', String(id)]);
    expect(await shown(id)).toMatchObject({ state: 'succeeded' });
    await rm(join(site.path, 'node_modules'), { recursive: true });
  });
});

describe('the process of a module', () => {
  it('is given no password of the database, in its environment or its arguments', async () => {
    const id = await site.enqueue('environment');
    const env = { PGPASSWORD: 'canary-4711', DATABASE_URL: 'postgres://u:canary-4711@h/d' };
    await site.tend(['run-due-tasks', '--task', String(id)], { env });
    const [attempt] = await site.attempts(id);
    expect(attempt).toMatchObject({ outcome: 'succeeded', evidence: { env: { TEND_TASK_ID: String(id) } } });
    expect(JSON.stringify(attempt)).not.toContain('canary');
    expect(JSON.stringify(attempt?.evidence)).not.toMatch(/"PG\w+":|DATABASE_URL/);
  });

  it('may block for longer than a lease: heartbeats and other tasks go on', async () => {
    await site.configure(kinds('4s'));
    const id = await site.enqueue('blocks', {}, { queue: 'busy' });
    const tick = site.tend(['run-due-tasks', '--queue', 'busy', '--json']);
    await expect.poll(async () => (await site.task(id)).state).toBe('running');
    const others = [
      await site.enqueue('noop', {}, { queue: 'other' }),
      await site.enqueue('noop', {}, { queue: 'other' }),
    ];
    expect(json(await site.tend(['run-due-tasks', '--queue', 'other', '--json']))).toMatchObject({
      succeeded: 2,
      reaped: [],
    });
    expect(json(await tick)).toMatchObject({ succeeded: 1, lost: 0 });
    expect(await site.task(id)).toMatchObject({ state: 'succeeded', attempt: 1 });
    for (const other of others) expect(await site.task(other)).toMatchObject({ state: 'succeeded' });
    await site.configure(kinds());
  });

  it('works without a session of ours, and what it leaves open goes with it', async () => {
    const mark = newMark();
    const id = await site.enqueue('pool');
    const tick = await site.start(['run-due-tasks', '--task', String(id)], { env: { MARK: mark } });
    await appears('pool-started');
    await expect.poll(() => site.sessions()).toEqual([]);
    expect(await site.task(id)).toMatchObject({ state: 'running' });
    await writeFile(join(site.path, 'pool-go'), '');
    expect(await tick.result).toMatchObject({ exitCode: 0 });
    expect(await markedProcesses(mark)).toEqual([]);
    expect(await site.sessions()).toEqual([]);
  });

  it('ends when tend is killed with -9, with all it started', async () => {
    const mark = newMark();
    const id = await site.enqueue('endless');
    const tick = await site.start(['run-due-tasks', '--task', String(id)], { env: { MARK: mark } });
    await appears('endless-started');
    expect((await markedProcesses(mark)).join('\n')).toContain('run-module.js');
    tick.child.kill('SIGKILL');
    await tick.result;
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
    expect(json(await site.tend(['run-due-tasks', '--kind', 'noop', '--json']))['reaped']).toMatchObject([
      { id },
    ]);
  });

  it('is killed with all it started when it does not react to SIGTERM', async () => {
    const mark = newMark();
    const id = await site.enqueue('endless');
    const tick = await site.start(['run-due-tasks', '--task', String(id)], { env: { MARK: mark } });
    await appears('endless-started');
    tick.child.kill('SIGTERM');
    expect(await tick.result).toMatchObject({ exitCode: 143 });
    expect(await markedProcesses(mark)).toEqual([]);
    expect(await site.task(id)).toMatchObject({
      state: 'waiting',
      reason: 'given back: the worker was told to stop',
    });
  });
});

describe('kill -9 of tend while it writes how a task ended', () => {
  it('leaves the follow-up there once for a task that has succeeded, and not at all for one that has not', async () => {
    await site.database.query('delete from tend.tasks');
    const id = await site.enqueue('chain');
    // Whoever ends an attempt waits: the killed worker's statement is under way.
    const session = await site.database.connect();
    await session.query('begin; lock table tend.attempts in share mode');
    const tick = await site.start(['run-due-tasks', '--task', String(id)]);
    const blocked = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(() => site.database.query(blocked)).toHaveLength(1);
    tick.child.kill('SIGKILL');
    await tick.result;
    await session.query('rollback');
    await session.end();
    await expect.poll(() => site.sessions()).toEqual([]);

    const followUps = () => site.database.query(`select from tend.tasks where enqueued_by = $1`, [id]);
    const { state } = await site.task(id);
    expect(await followUps()).toHaveLength(state === 'succeeded' ? 1 : 0);
    await site.tend(['run-due-tasks', '--kind', 'chain']);
    await site.database.query('update tend.tasks set run_at = now() where id = $1', [id]);
    await site.tend(['run-due-tasks', '--kind', 'chain']);
    expect(await site.task(id)).toMatchObject({ state: 'succeeded' });
    expect(await followUps()).toHaveLength(1);
  });
});

describe('config validate', () => {
  it('warns of a module that is not there', async () => {
    const { exitCode, stderr } = await site.tend(['config', 'validate']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    await site.configure('[tasks.kinds.gone]\nmodule = "./tasks/gone.js"\n');
    const missing = await site.tend(['config', 'validate']);
    expect(missing.stderr.replaceAll(site.path, '')).toBe(
      'warning: /tend.toml:4: the module "/tasks/gone.js" does not exist: its tasks will fail\n',
    );
    await site.configure(kinds());
  });
});
