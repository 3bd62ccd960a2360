import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { markedProcesses } from '../processes/support/marked-processes.ts';
import { newMark } from '../processes/support/tool-call.ts';
import { testRun } from '../support/test-run.ts';
import { createQueueSite, json, type QueueSite, scriptKind, tcpUrl } from './queue-site.ts';

/** One tick over tasks of the application's own commands, each looked at by tests of its own. */
let site: QueueSite;

const kinds = [
  '[tasks]\nlease = "2s"\ngrace = "2s"\nconcurrency = 4\n',
  scriptKind(
    'greet',
    'read -r line; echo "got $line"; echo "task $TEND_TASK_ID attempt $TEND_ATTEMPT in $(pwd)"',
  ),
  scriptKind('save', 'cat > "saved-$TEND_TASK_ID"'),
  scriptKind('exit', 'code=$(tr -dc 0-9); echo "about to exit $code"; exit "$code"', { retry_base: '1h' }),
  scriptKind('env', 'env', { env: ['CMS_TOKEN'] }),
  scriptKind('family', 'trap "" TERM; ( trap "" TERM; sleep 600 ) & sleep 600; sleep 600', {
    timeout: '1s',
    env: ['MARK'],
    retry_base: '1h',
  }),
  scriptKind(
    'says',
    'printf "%s" "$SAYS"; printf "\\377\\355\\240\\200\\300\\200\\342\\202a\\000b\\033[1m\\377"',
    {
      env: ['SAYS'],
    },
  ),
  '[tasks.kinds.bash]\ncommand = ["/bin/bash", "-c", "echo from the task"]\n',
  '[tasks.kinds.missing]\ncommand = ["/no/such/program"]\n',
  scriptKind('once', 'exit 1', { max_attempts: 1 }),
  scriptKind('lost', 'exit 0', { directory: 'gone' }),
].join('');

beforeAll(async () => {
  site = await createQueueSite(kinds);
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());

/** Enqueues one task and runs it and nothing else. */
async function runOne(kind: string, payload: object = {}, env: Record<string, string> = {}) {
  const id = await site.enqueue(kind, payload);
  const result = await site.tend(['run-due-tasks', '--task', String(id)], { env });
  const attempts = await site.attempts(id);
  return { id, ...result, task: await site.task(id), attempt: attempts[0], attempts };
}

describe('a command of the application', () => {
  it('gets the payload as a line of JSON, its ids as variables, and the directory of tend.toml', async () => {
    const { id, exitCode, stdout, stderr, task, attempt } = await runOne('greet', {
      name: 'żółw',
      of: [1, null],
    });
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(task).toMatchObject({ state: 'succeeded', attempt: 1, lease_owner: null, last_error: null });
    expect(attempt).toMatchObject({ outcome: 'succeeded', exit_code: 0, evidence: { exitCode: 0 } });
    const [got, where] = String(attempt?.output_tail).split('\n');
    expect(JSON.parse(String(got).slice('got '.length))).toEqual({ name: 'żółw', of: [1, null] });
    expect(where).toBe(`task ${id} attempt 1 in ${site.path}`);
  });

  it.skipIf(!existsSync('/bin/bash'))('is no login: a bash reads no ~/.bashrc', async () => {
    await writeFile(join(site.path, '.bashrc'), 'echo from bashrc\n');
    const { attempt } = await runOne('bash', {}, { HOME: site.path });
    expect(attempt).toMatchObject({ outcome: 'succeeded', output_tail: 'from the task\n' });
  });

  it('gets a payload of a megabyte whole', async () => {
    const payload = { text: 'ż'.repeat(500_000), end: true };
    const { id, exitCode } = await runOne('save', payload);
    expect(exitCode).toBe(0);
    expect((await site.lines(`saved-${id}`)).map((line) => JSON.parse(line))).toEqual([payload]);
  });

  it('that fails is retried later; the tick that saw it fail has done its work: exit code 0', async () => {
    const { exitCode, stderr, task, attempt } = await runOne('exit', { code: 1 });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(task).toMatchObject({ state: 'waiting', attempt: 1, reason: 'to be retried', finished_at: null });
    expect(task.last_error).toBe('"/bin/sh" failed with exit code 1: about to exit 1');
    expect(attempt).toMatchObject({ outcome: 'failed', exit_code: 1, output_tail: 'about to exit 1\n' });
    const rows = await site.database.query(
      "select run_at between now() + interval '40 min' and now() + interval '80 min' as fits from tend.tasks where id = $1",
      [task.id],
    );
    expect(rows).toEqual([{ fits: true }]);
  });

  it.each([64, 65, 77, 78])('that exits %i has failed for good: exit code 3', async (code) => {
    const { id, exitCode, stderr, task, attempts } = await runOne('exit', { code });
    expect(exitCode).toBe(3);
    expect(stderr).toBe(
      `warning: Task ${id} (exit) failed: "/bin/sh" failed with exit code ${code}: about to exit ${code} (tend tasks show ${id})\n`,
    );
    expect(task).toMatchObject({ state: 'failed', attempt: 1, reason: 'permanent error' });
    expect(attempts).toMatchObject([{ outcome: 'failed', exit_code: code }]);
  });

  it('without attempts left has failed: exit code 3', async () => {
    const { exitCode, task } = await runOne('once');
    expect(exitCode).toBe(3);
    expect(task).toMatchObject({ state: 'failed', attempt: 1, max_attempts: 1, reason: 'no attempts left' });
  });

  it('that does not exist fails for good, and says where it was looked for', async () => {
    const { exitCode, task } = await runOne('missing');
    expect(exitCode).toBe(3);
    expect(task).toMatchObject({ state: 'failed', reason: 'permanent error' });
    expect(task.last_error).toContain('Program "/no/such/program" does not exist');
  });

  it('is stopped at its time limit with the whole family, and retried', async () => {
    const mark = newMark();
    const { exitCode, task, attempt } = await runOne('family', {}, { MARK: mark });
    expect(exitCode).toBe(0);
    expect(task).toMatchObject({ state: 'waiting', attempt: 1 });
    expect(attempt).toMatchObject({
      outcome: 'failed',
      error: '"/bin/sh" ran longer than 1.0 s and was stopped.',
    });
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });

  it('sees the variables on the allow-list and those its kind names, and no secret of ours', async () => {
    const env = {
      CMS_TOKEN: 'for-the-command',
      AWS_SECRET_ACCESS_KEY: 'canary-secret',
      PGPASSWORD: 'canary-2',
    };
    const { attempt } = await runOne('env', {}, env);
    expect(attempt?.output_tail).toMatch(/^CMS_TOKEN=/m);
    expect(attempt?.output_tail).not.toMatch(/canary|AWS_|PGPASSWORD/);
  });

  it('may say anything: bytes that are no text are stored as far as they are, secrets are not', async () => {
    const secret = testRun().password;
    const url = tcpUrl({ connection: site.database.connection, password: secret });
    const { exitCode, attempt, stderr } = await runOne('says', {}, { TEND_DATABASE_URL: url, SAYS: secret });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(attempt).toMatchObject({ outcome: 'succeeded' });
    expect(attempt?.output_tail).toMatch(/^\*\*\*/);
    expect(attempt?.output_tail).toMatch(/a␀b\u001b\[1m\uFFFD\n$/);
    expect(attempt?.output_tail).not.toContain(secret);
  });

  it('in a directory that does not exist fails for good, and names the directory', async () => {
    const { exitCode, task } = await runOne('lost');
    expect(exitCode).toBe(3);
    expect(task.last_error).toBe(`Directory "${site.path}/gone", where "/bin/sh" is to run, does not exist.`);
  });
});

describe('a payload that does not fit its kind', () => {
  it('fails that task alone, for good, and names the path of the bad field', async () => {
    const bad = await site.enqueue('send-mail', { to: 42, subject: 'Hi', text: 'x' }, { queue: 'payloads' });
    const good = await site.enqueue('greet', {}, { queue: 'payloads' });
    const { exitCode, stderr } = await site.tend(['run-due-tasks', '--queue', 'payloads']);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(
      `Task ${bad} (send-mail) failed: The payload does not fit kind "send-mail": to: `,
    );
    expect(await site.task(bad)).toMatchObject({ state: 'failed', attempt: 1, reason: 'permanent error' });
    expect(await site.task(good)).toMatchObject({ state: 'succeeded' });
  });
});

describe('a kind nobody here knows', () => {
  it('stays visible: it waits, is no failure of the tick, and is explained', async () => {
    const id = await site.enqueue('make-coffee');
    expect((await site.tend(['run-due-tasks', '--kind', 'noop'])).exitCode).toBe(0);
    expect((await site.tend(['run-due-tasks', '--queue', 'default', '--limit', '1'])).exitCode).toBe(0);
    expect(await site.task(id)).toMatchObject({ state: 'waiting', attempt: 0 });
    expect((await site.tend(['tasks', '--kind', 'make-coffee'])).stdout).toContain(
      `${id}\tmake-coffee\twaiting`,
    );
    expect((await site.tend(['tasks', 'explain', String(id)])).stdout).toContain(
      'x kind "make-coffee" is not known on any host',
    );
    const direct = await site.tend(['run-due-tasks', '--task', String(id), '--json']);
    expect(direct.exitCode).toBe(1);
    expect(json(direct)).toMatchObject({
      error: { code: 'TASK_STATE_CONFLICT', hint: `tend tasks explain ${id}` },
    });
  });
});

describe('a mutex', () => {
  it('keeps tasks apart that several processes run: one at a time, each once', async () => {
    // Each holds a directory while it works: making one that exists fails.
    const script = 'mkdir busy || exit 65; echo "$TEND_TASK_ID" >> order; sleep 0.05; rmdir busy';
    await site.configure(`[tasks]\nlease = "2s"\n${scriptKind('alone', script, { mutex: 'alone' })}`);
    await site.tend(['migrations', 'up']);
    const ids: number[] = [];
    for (let count = 0; count < 12; count++) ids.push(await site.enqueue('alone'));
    const drain = ['run-due-tasks', '--drain', '--kind', 'alone'];
    const unfinished = `select id from tend.tasks where kind = 'alone' and state <> 'succeeded'`;
    for (let round = 0; round < 20 && (await site.database.query(unfinished)).length > 0; round++) {
      const ended = await Promise.all([site.tend(drain), site.tend(drain), site.tend(drain)]);
      expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    }
    expect((await site.lines('order')).map(Number).sort((a, b) => a - b)).toEqual(ids);
    expect(existsSync(join(site.path, 'busy'))).toBe(false);
    await site.configure(kinds);
  });
});

describe('cancelling a running command', () => {
  it('stops it at the next heartbeat, with its family; the tick is no failure', async () => {
    const mark = newMark();
    await site.configure(
      `[tasks]\nlease = "2s"\ngrace = "1s"\n${scriptKind('long', 'echo started > "started-$TEND_TASK_ID"; sleep 600 & wait', { env: ['MARK'] })}`,
    );
    const id = await site.enqueue('long');
    const tick = await site.start(['run-due-tasks', '--task', String(id), '--json'], { env: { MARK: mark } });
    await expect.poll(() => site.lines(`started-${id}`)).toEqual(['started']);
    const cancel = await site.tend(['tasks', 'cancel', String(id), '--json']);
    expect(json(cancel)).toEqual({ tasks: [{ id, result: 'requested' }] });
    const ended = await tick.result;
    expect(ended.exitCode).toBe(0);
    expect(json(ended)).toMatchObject({ cancelled: 1, succeeded: 0, failed: 0 });
    expect(await site.task(id)).toMatchObject({ state: 'cancelled', reason: 'cancel was requested' });
    expect(await site.attempts(id)).toMatchObject([{ outcome: 'cancelled' }]);
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
    await site.configure(kinds);
  });
});
