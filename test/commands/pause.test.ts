import { userInfo } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createQueueSite, json, type QueueSite } from '../e2e/queue-site.ts';

let site: QueueSite;

beforeAll(async () => {
  site = await createQueueSite('[tasks]\nhost = "web1"\n');
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());
beforeEach(async () => {
  await site.database.query('delete from tend.tasks; delete from tend.pauses');
});

const who = `${userInfo().username} on web1`;

describe('tasks pause', () => {
  it('keeps workers from a kind until it is resumed, and shows who paused it and why', async () => {
    const id = await site.enqueue('noop');
    const paused = await site.tend(['tasks', 'pause', '--kind', 'noop', '--reason', 'relay is down']);
    expect(paused).toMatchObject({ exitCode: 0, stderr: '' });
    expect(paused.stdout.split('\n').map((line) => line.split('\t'))).toEqual([
      ['SCOPE', 'NAME', 'PAUSED', 'BY', 'DUE', 'REASON'],
      ['kind', 'noop', expect.stringMatching(/^\d{4}-.*Z$/), who, '1', 'relay is down'],
      [''],
    ]);
    expect(json(await site.tend(['run-due-tasks', '--json']))).toMatchObject({ succeeded: 0, tasks: [] });

    const resumed = await site.tend(['tasks', 'resume', '--kind', 'noop', '--json']);
    expect(json(resumed)).toEqual({ resumed: [{ scope: 'kind', name: 'noop' }] });
    expect(json(await site.tend(['run-due-tasks', '--json']))).toMatchObject({ tasks: [{ id }] });
  });

  it('has stable keys under --json, and lists without a kind or queue', async () => {
    await site.command(['tasks', 'pause', '--queue', 'imports', '--queue', 'mail', '--kind', 'noop']);
    const { pauses } = json(await site.command(['tasks', 'pause', '--json']));
    const pause = { reason: null, pausedAt: expect.stringMatching(/Z$/), pausedBy: who, due: 0 };
    expect(pauses).toEqual([
      { scope: 'kind', name: 'noop', ...pause },
      { scope: 'queue', name: 'imports', ...pause },
      { scope: 'queue', name: 'mail', ...pause },
    ]);
  });

  it('says nothing where nothing is paused', async () => {
    expect(await site.command(['tasks', 'pause'])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('takes a kind that only another host knows', async () => {
    await site.database.query(
      `insert into tend.kinds (kind, source, max_attempts, on_lost) values ('elsewhere', 'config', 5, 'retry')`,
    );
    expect((await site.command(['tasks', 'pause', '--kind', 'elsewhere'])).exitCode).toBe(0);
  });

  it.each([
    ['a kind nobody knows', ['--queue', 'fine', '--kind', 'send-mial'], 66, 'Did you mean "send-mail"?'],
    [
      'an empty queue',
      ['--queue', 'fine', '--queue', ''],
      64,
      '--queue: "" cannot be a queue: 1 to 200 bytes.',
    ],
    ['a queue no task can be in', ['--queue', 'ż'.repeat(101)], 64, 'cannot be a queue: 1 to 200 bytes.'],
    ['a reason for nothing', ['--reason', 'why'], 64, 'Say what to pause: --kind KIND or --queue NAME.'],
  ])('refuses %s, and pauses nothing', async (_name, args, exitCode, message) => {
    const result = await site.command(['tasks', 'pause', ...args, '--json']);
    expect(result.exitCode).toBe(exitCode);
    expect(json(result)).toMatchObject({ error: { exitCode, message: expect.stringContaining(message) } });
    expect(await site.database.query('select from tend.pauses')).toEqual([]);
  });
});

describe('tasks resume', () => {
  it('says so where nothing was paused', async () => {
    const result = await site.tend(['tasks', 'resume', '--kind', 'noop', '-v']);
    expect(result).toMatchObject({ exitCode: 0, stdout: 'None of these was paused.\n' });
  });

  it('needs to be told what', async () => {
    const result = await site.command(['tasks', 'resume']);
    expect(result).toMatchObject({ exitCode: 64 });
    expect(result.stderr).toContain('Say what to resume: --kind KIND or --queue NAME.');
  });
});

describe('what is paused', () => {
  it('is refused by run-due-tasks --task, with the command that ends the pause', async () => {
    const id = await site.enqueue('noop', {}, { queue: 'imports' });
    await site.tend(['tasks', 'pause', '--queue', 'imports']);
    const refused = await site.tend(['run-due-tasks', '--task', String(id), '--json']);
    expect(refused.exitCode).toBe(1);
    expect(json(refused)).toMatchObject({
      error: {
        code: 'TASK_STATE_CONFLICT',
        message: expect.stringMatching(
          /^Task \d+ cannot be run now: queue "imports" is paused since .+: tend tasks resume --queue imports\.$/,
        ),
      },
    });
  });

  it('is what --dry-run and explain say, with the same command', async () => {
    const id = await site.enqueue('noop');
    await site.command(['tasks', 'pause', '--kind', 'noop']);
    const plan = await site.tend(['run-due-tasks', '--dry-run']);
    expect(plan.stdout).toContain('blocked: paused (tend tasks resume --kind noop)');
    const explanation = await site.command(['tasks', 'explain', String(id)]);
    expect(explanation.stdout).toMatch(
      /^ {2}x kind "noop" is paused since .+: tend tasks resume --kind noop$/m,
    );
  });
});
