import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createQueueSite, json, type QueueSite, scriptKind } from '../e2e/queue-site.ts';
import { runCliOnTerminal } from '../support/run-cli.ts';

let site: QueueSite;

beforeAll(async () => {
  site = await createQueueSite(
    [
      '[tasks]\nhost = "web1"\n',
      scriptKind('fails', 'echo "no such file" >&2; exit 65', { max_attempts: 3, mutex: 'disk' }),
    ].join(''),
  );
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());
beforeEach(async () => {
  await site.database.query('delete from tend.tasks');
});

/** Moves a task into a state as if it had come there; the table's own checks hold. */
async function put(id: number, state: string, agoMs = 0): Promise<number> {
  const isOver = ['succeeded', 'failed', 'cancelled', 'missed'].includes(state);
  await site.database.query(
    `update tend.tasks set state = $2, reason = 'put there by a test',
            finished_at = case when $3 then now() - $4 * interval '1 ms' end,
            created_at = now() - $4 * interval '1 ms' where id = $1`,
    [id, state, isOver, agoMs],
  );
  return id;
}

async function listed(...args: string[]): Promise<number[]> {
  const { tasks } = json(await site.command(['tasks', '--json', ...args]));
  return Array.isArray(tasks) ? tasks.map(({ id }) => id) : [];
}

const day = 86_400_000;

describe('tasks', () => {
  it('lists what is not over and what failed, newest first', async () => {
    const waiting = await site.enqueue('noop');
    const held = await put(await site.enqueue('noop'), 'held');
    const failed = await put(await site.enqueue('noop'), 'failed');
    await put(await site.enqueue('noop'), 'succeeded');
    await put(await site.enqueue('noop'), 'cancelled');
    expect(await listed()).toEqual([failed, held, waiting]);
  });

  it('filters by state, kind and age, and shows all states with --all', async () => {
    const old = await put(await site.enqueue('noop'), 'failed', 3 * day);
    const recent = await put(await site.enqueue('noop'), 'failed');
    const other = await put(await site.enqueue('fails'), 'failed');
    const done = await put(await site.enqueue('noop'), 'succeeded');
    expect(await listed('--state', 'failed')).toEqual([other, recent, old]);
    expect(await listed('--state', 'failed', '--state', 'succeeded', '--kind', 'noop')).toEqual([
      done,
      recent,
      old,
    ]);
    expect(await listed('--since', '1d')).toEqual([other, recent]);
    expect(await listed('--all')).toEqual([done, other, recent, old]);
  });

  it('shows at most --limit, and says that there are more', async () => {
    for (let count = 0; count < 3; count++) await site.enqueue('noop');
    const { stdout, stderr } = await site.command(['tasks', '--limit', '2']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(stderr).toBe('warning: only the newest 2 are shown (--limit)\n');
    expect(json(await site.command(['tasks', '--limit', '2', '--json']))).toMatchObject({ isCut: true });
  });

  it('is tab-separated when piped, header included, one line a task whatever its error holds', async () => {
    const id = await put(await site.enqueue('noop'), 'failed');
    await site.database.query(`update tend.tasks set last_error = E'two\\nlines\\tand a tab' where id = $1`, [
      id,
    ]);
    const { stdout } = await site.tend(['tasks']);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(rows[0]).toEqual(['ID', 'KIND', 'STATE', 'ATTEMPT', 'RUN AT', 'FINISHED', 'WORKER', 'NOTE']);
    expect(rows).toHaveLength(2);
    expect(rows[1]?.slice(0, 4)).toEqual([String(id), 'noop', 'failed', '0/5']);
    expect(rows[1]?.at(-1)).toBe('put there by a test: two lines and a tab');
  });

  it('has stable keys under --json', async () => {
    const id = await site.enqueue('noop', {}, { unique_key: 'one', mutex: 'm', host: 'web1', priority: 3 });
    const { tasks, isCut } = json(await site.command(['tasks', '--json']));
    expect(isCut).toBe(false);
    expect(tasks).toEqual([
      {
        ...{ id, kind: 'noop', queue: 'default', state: 'waiting', reason: null, priority: 3 },
        ...{ attempt: 0, maxAttempts: 5, uniqueKey: 'one', mutex: 'm', host: 'web1', worker: null },
        ...{ leaseUntil: null, isCancelRequested: false, lastError: null, startedAt: null, finishedAt: null },
        ...{ createdBy: expect.any(String), createdAt: expect.stringMatching(/Z$/) },
        runAt: expect.stringMatching(/Z$/),
        ...{ schedule: null, slotAt: null, fanOut: null, enqueuedBy: null },
      },
    ]);
  });

  it('says nothing when there is nothing', async () => {
    expect(await site.command(['tasks'])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('refuses an unknown state and contradicting flags: exit code 64', async () => {
    expect((await site.command(['tasks', '--state', 'done'])).exitCode).toBe(64);
    expect((await site.command(['tasks', '--state', 'failed', '--all'])).exitCode).toBe(64);
  });
});

describe('tasks show', () => {
  it('tells a task’s state, payload and the history of its attempts with what they said', async () => {
    const id = await site.enqueue('fails', { path: '/tmp/x' });
    await site.tend(['run-due-tasks']);
    const { stdout } = await site.tend(['tasks', 'show', String(id)]);
    expect(stdout).toContain(`Task ${id} · fails · failed: permanent error\n`);
    expect(stdout).toContain('payload     {"path":"/tmp/x"}\n');
    expect(stdout).toMatch(/^Attempt 1 · .* on web1:\d+ · failed after .*, exit code 65$/m);
    expect(stdout).toContain('  error: "/bin/sh" failed with exit code 65: no such file\n');
    expect(stdout).toContain('  | no such file\n');
  });

  it('has the same under --json', async () => {
    const id = await site.enqueue('fails');
    await site.tend(['run-due-tasks']);
    expect(json(await site.command(['tasks', 'show', String(id), '--json']))).toMatchObject({
      task: {
        ...{ id, state: 'failed', payload: {}, mutex: 'disk', maxAttempts: 3 },
        attempts: [
          {
            ...{ attempt: 1, outcome: 'failed', exitCode: 65, outputTail: 'no such file\n', evidence: null },
            worker: expect.stringMatching(/^web1:\d+$/),
          },
        ],
      },
    });
  });

  it('says what a task enqueued, and by which one it was enqueued', async () => {
    const id = await site.enqueue('noop');
    const follow = 'select tend.enqueue_follow_ups($1, $2::jsonb)';
    await site.database.query(follow, [id, JSON.stringify([{ kind: 'mail' }, { kind: 'noop' }])]);
    const enqueued = [
      { id: id + 1, kind: 'mail', state: 'waiting' },
      { id: id + 2, kind: 'noop', state: 'waiting' },
    ];
    expect(json(await site.command(['tasks', 'show', String(id), '--json']))['task']).toMatchObject({
      enqueued,
    });
    expect((await site.command(['tasks', 'show', String(id)])).stdout).toContain(
      `Enqueued task ${id + 1} · mail · waiting\nEnqueued task ${id + 2} · noop · waiting\n`,
    );
    const second = await site.command(['tasks', 'show', String(id + 1)]);
    expect(second.stdout).toContain(`enqueued by task ${id}\n`);
    const many = Array.from({ length: 19 }, () => ({ kind: 'noop' }));
    await site.database.query(follow, [id, JSON.stringify(many)]);
    expect((await site.command(['tasks', 'show', String(id)])).stdout).toContain(
      '… and 1 more (--json lists all)\n',
    );
  });

  it.each([
    [['show', '999999'], 66],
    [['show', 'abc'], 64],
    [['show', '0'], 64],
    [['show'], 64],
    [['explain', '999999'], 66],
    [['cancel', '999999'], 66],
    [['retry', '999999'], 66],
    [['resolve', '999999', '--done'], 66],
  ])('and its like for a task that cannot be: %j is exit code %i', async (args, exitCode) => {
    const result = await site.command(['tasks', ...args, '--json']);
    expect(result.exitCode).toBe(exitCode);
    expect(json(result)).toMatchObject({ error: { exitCode } });
  });
});

describe('tasks explain', () => {
  it('says that the next tick runs a task, or every reason why not, marked', async () => {
    const fine = await site.enqueue('noop');
    const stuck = await site.enqueue('make-coffee', {}, { run_at: '2099-01-01', host: 'web2' });
    expect((await site.tend(['tasks', 'explain', String(fine)])).stdout).toContain(
      `Task ${fine} (noop) is waiting: the next tick here runs it.\n`,
    );
    const { stdout } = await site.tend(['tasks', 'explain', String(stuck)]);
    const blocking = stdout.split('\n').filter((line) => line.startsWith('  x '));
    expect(blocking).toHaveLength(3);
    expect(stdout).toContain('  x it is not due for another ');
    expect(stdout).toContain(
      '  x kind "make-coffee" is not known on any host: add [tasks.kinds.make-coffee] to tend.toml',
    );
    expect(stdout).toContain('  x it is pinned to host "web2", and this is "web1"\n');
  });

  it('names who holds the mutex, and has stable keys under --json', async () => {
    const holder = await site.enqueue('noop', {}, { mutex: 'db' });
    await site.database.query(
      `update tend.tasks set state = 'running', lease_owner = 'web9:77:x:y:z', lease_token = gen_random_uuid(),
              lease_until = now() + interval '1 h', started_at = now(), attempt = 1 where id = $1`,
      [holder],
    );
    const id = await site.enqueue('noop', {}, { mutex: 'db' });
    const result = json(await site.command(['tasks', 'explain', String(id), '--json']));
    expect(result).toMatchObject({ id, kind: 'noop', state: 'waiting', willRun: false });
    expect(result['reasons']).toContainEqual({
      check: 'mutex',
      blocks: true,
      text: expect.stringMatching(
        new RegExp(`^mutex "db" is held by task ${holder} \\(noop\\) on web9:77 since `),
      ),
    });
    const { stdout } = await site.command(['tasks', 'explain', String(holder)]);
    expect(stdout).toMatch(/x it is running on web9:77 since .*; its lease lasts another /);
  });
});

describe('tasks enqueue', () => {
  it('prints the id, and stores what the flags say', async () => {
    const { stdout, exitCode } = await site.tend([
      ...['tasks', 'enqueue', 'noop', '--payload', '{"a":[1,"ż"]}', '--in', '1h', '--queue', 'mail'],
      ...['--priority', '-5', '--unique-key', 'k', '--mutex', 'm', '--host', 'web1', '--max-attempts', '7'],
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\d+\n$/);
    expect(await site.task(Number(stdout))).toMatchObject({
      ...{ kind: 'noop', payload: { a: [1, 'ż'] }, queue: 'mail', priority: -5, state: 'waiting' },
      ...{ unique_key: 'k', mutex: 'm', host: 'web1', max_attempts: 7 },
    });
    const due = await site.database.query(
      `select run_at between now() + interval '59 min' and now() + interval '61 min' as fits from tend.tasks`,
    );
    expect(due).toEqual([{ fits: true }]);
  });

  it('reads a payload of any size from standard input', async () => {
    const payload = { text: 'ż'.repeat(600_000) };
    const result = await site.tend(['tasks', 'enqueue', 'noop', '--payload', '-', '--json'], {
      stdin: JSON.stringify(payload),
    });
    const { id, kind } = json(result);
    expect(kind).toBe('noop');
    expect(await site.task(Number(id))).toMatchObject({ payload });
  });

  it('replaces the waiting task of the same unique key', async () => {
    const first = json(await site.command(['tasks', 'enqueue', 'noop', '--unique-key', 'k', '--json']));
    const second = json(
      await site.command(['tasks', 'enqueue', 'noop', '--unique-key', 'k', '--payload', '{"n":2}', '--json']),
    );
    expect(second['id']).toBe(first['id']);
    expect(await site.task(Number(first['id']))).toMatchObject({ payload: { n: 2 } });
  });

  it.each([
    ['a payload that is no JSON', ['noop', '--payload', '{x}'], 65],
    ['a payload that is no object', ['noop', '--payload', '[1]'], 65],
    ['a text the database cannot store', ['noop', '--payload', '{"a":"\\u0000"}'], 65],
    ['a name that cannot be a kind', ['No Kind!'], 65],
    ['a priority out of range', ['noop', '--priority', '40000'], 64],
    ['no attempt', ['noop', '--max-attempts', '0'], 64],
    ['no kind', [], 64],
  ])('refuses %s', async (_name, args, exitCode) => {
    const result = await site.command(['tasks', 'enqueue', ...args, '--json']);
    expect(result.exitCode).toBe(exitCode);
    expect(json(result)).toMatchObject({ error: { exitCode, message: expect.any(String) } });
    expect(await site.database.query('select from tend.tasks')).toEqual([]);
  });
});

describe('tasks cancel', () => {
  it('cancels what waits or is held, asks of what runs, and leaves what has ended', async () => {
    const waiting = await site.enqueue('noop');
    const held = await put(await site.enqueue('noop'), 'held');
    const ended = await put(await site.enqueue('noop'), 'succeeded');
    const result = await site.tend(['tasks', 'cancel', ...[waiting, held, ended].map(String), '--json']);
    expect(result.exitCode).toBe(0);
    expect(json(result)).toEqual({
      tasks: [
        { id: waiting, result: 'cancelled' },
        { id: held, result: 'cancelled' },
        { id: ended, result: 'unchanged' },
      ],
    });
    expect(await site.task(waiting)).toMatchObject({
      state: 'cancelled',
      reason: expect.stringMatching(/^cancelled by /),
    });
  });

  it('of several does what it can: exit code 3', async () => {
    const waiting = await site.enqueue('noop');
    const result = await site.command(['tasks', 'cancel', '999999', String(waiting)]);
    expect(result).toMatchObject({ exitCode: 3, stderr: 'warning: There is no task 999999.\n' });
    expect(await site.task(waiting)).toMatchObject({ state: 'cancelled' });
  });
});

describe('tasks retry', () => {
  it('lets a failed task run again, due now, with a fresh set of attempts; its history stays', async () => {
    const id = await site.enqueue('fails');
    await site.tend(['run-due-tasks']);
    const result = await site.tend(['tasks', 'retry', String(id), '--json']);
    expect(json(result)).toEqual({ tasks: [{ id, result: 'waiting' }] });
    expect(await site.task(id)).toMatchObject({
      state: 'waiting',
      attempt: 1,
      max_attempts: 4,
      finished_at: null,
    });
    expect(await site.attempts(id)).toHaveLength(1);
  });

  it('takes all failed ones, by kind and by age', async () => {
    const old = await put(await site.enqueue('noop'), 'failed', 3 * day);
    const recent = await put(await site.enqueue('noop'), 'failed');
    const other = await put(await site.enqueue('fails'), 'failed');
    const bySince = json(
      await site.command(['tasks', 'retry', '--failed-since', '1d', '--kind', 'noop', '--json']),
    );
    expect(bySince).toEqual({ tasks: [{ id: recent, result: 'waiting' }] });
    const all = json(await site.command(['tasks', 'retry', '--all', '--json']));
    expect(all).toEqual({
      tasks: [
        { id: old, result: 'waiting' },
        { id: other, result: 'waiting' },
      ],
    });
  });

  it('never runs a failed restore again with all the others, but when it is named', async () => {
    const restore = await put(await site.enqueue('restore', { source: 'latest', into: 'copy' }), 'failed');
    const other = await put(await site.enqueue('noop'), 'failed');
    const bySince = json(await site.command(['tasks', 'retry', '--failed-since', '1d', '--json']));
    expect(bySince).toEqual({ tasks: [{ id: other, result: 'waiting' }] });
    expect(json(await site.command(['tasks', 'retry', '--all', '--json']))).toEqual({ tasks: [] });
    const byKind = json(await site.command(['tasks', 'retry', '--all', '--kind', 'restore', '--json']));
    expect(byKind).toEqual({ tasks: [{ id: restore, result: 'waiting' }] });
  });

  it.each([
    ['failed', { source: 'latest' }, 'latest'],
    ['cancelled', { source: 'latest', inPlace: true }, 'latest --in-place'],
    ['missed', { undo: true }, '--undo'],
    ['failed', { resume: true }, '--resume'],
  ])('of a %s restore that replaces the live database (%j) wants its name', async (state, payload, words) => {
    const { name } = site.database;
    const restore = await put(await site.enqueue('restore', { confirm: name, ...payload }), state);
    const other = await put(await site.enqueue('noop'), 'failed');
    const both = ['tasks', 'retry', String(restore), String(other), '--json'];
    const refused = await site.command(both);
    expect(refused.exitCode).toBe(64);
    expect(json(refused)).toMatchObject({
      error: {
        code: 'CONFIRMATION_MISSING',
        message: expect.stringContaining(`task ${restore} (restore ${words})`),
        hint: `tend tasks retry ${restore} ${other} --confirm ${name}`,
      },
    });
    expect((await site.command([...both, '--confirm', 'another'])).exitCode).toBe(64);
    expect([await site.task(restore), await site.task(other)]).toMatchObject([
      { state },
      { state: 'failed' },
    ]);
    expect(json(await site.command([...both, '--confirm', name]))).toMatchObject({
      tasks: [{ result: 'waiting' }, { result: 'waiting' }],
    });
  });

  it.each(['--all', '--failed-since=1d'])(
    'with --kind restore %s wants the name of the live database, too',
    async (which) => {
      const id = await put(await site.enqueue('restore', { source: 'latest' }), 'failed');
      const restores = ['tasks', 'retry', which, '--kind', 'restore', '--json'];
      expect(json(await site.command(restores))).toMatchObject({
        error: { exitCode: 64, hint: `tend tasks retry ${id} --confirm ${site.database.name}` },
      });
      expect(json(await site.command([...restores, '--confirm', site.database.name]))).toEqual({
        tasks: [{ id, result: 'waiting' }],
      });
    },
  );

  it('lets the name of the live database be typed on a terminal', async () => {
    const { name } = site.database;
    const id = await put(await site.enqueue('restore', { source: 'latest' }), 'failed');
    const retry = (stdin: string) =>
      runCliOnTerminal(['tasks', 'retry', String(id)], { cwd: site.path, stdin, typedAt: 'to go on:' });
    expect((await retry('\n')).exitCode).toBe(64);
    expect(await site.task(id)).toMatchObject({ state: 'failed' });
    expect((await retry(`${name}\n`)).exitCode).toBe(0);
    expect(await site.task(id)).toMatchObject({ state: 'waiting' });
  });

  it.each(['noop', 'restore'])('leaves a held %s to a person’s decision', async (kind) => {
    const held = await put(await site.enqueue(kind), 'held');
    const result = await site.command(['tasks', 'retry', String(held), '--json']);
    expect(result.exitCode).toBe(1);
    expect(json(result)).toMatchObject({
      error: { code: 'TASK_STATE_CONFLICT', hint: expect.stringContaining('tend tasks resolve') },
    });
  });

  it.each([[[]], [['1', '--all']], [['--all', '--failed-since', '1d']]])(
    'wants to know which ones, in one way: %j is exit code 64',
    async (args) => {
      expect((await site.command(['tasks', 'retry', ...args])).exitCode).toBe(64);
    },
  );
});

describe('tasks resolve', () => {
  it.each([
    ['--done', 'done', 'succeeded'],
    ['--sent', 'done', 'succeeded'],
    ['--retry', 'retry', 'waiting'],
    ['--resend', 'retry', 'waiting'],
    ['--drop', 'drop', 'cancelled'],
  ])('%s ends the hold, and says who decided', async (flag, decision, state) => {
    const id = await put(await site.enqueue('noop'), 'held');
    const result = await site.tend(['tasks', 'resolve', String(id), flag, '--json']);
    expect(json(result)).toEqual({ id, decision, state });
    expect(await site.task(id)).toMatchObject({
      state,
      reason: expect.stringMatching(new RegExp(`^resolved as "${decision}" by .* on web1$`)),
    });
  });

  it('of a restore that replaces the live database does it again only with its name', async () => {
    const id = await put(await site.enqueue('restore', { source: 'latest' }), 'held');
    const retry = ['tasks', 'resolve', String(id), '--retry'];
    const refused = await site.command([...retry, '--json']);
    expect(json(refused)).toMatchObject({
      error: { exitCode: 64, hint: `tend ${retry.join(' ')} --confirm ${site.database.name}` },
    });
    expect(await site.task(id)).toMatchObject({ state: 'held' });
    expect((await site.command([...retry, '--confirm', site.database.name])).exitCode).toBe(0);
    expect(await site.task(id)).toMatchObject({ state: 'waiting' });
  });

  it('refuses a task that is not held, and anything but one decision', async () => {
    const id = await site.enqueue('noop');
    const refused = await site.command(['tasks', 'resolve', String(id), '--done', '--json']);
    expect(refused.exitCode).toBe(1);
    expect(json(refused)).toMatchObject({
      error: { message: `Task ${id} cannot be resolved: it is waiting, not held.` },
    });
    expect((await site.command(['tasks', 'resolve', String(id)])).exitCode).toBe(64);
    expect((await site.command(['tasks', 'resolve', String(id), '--done', '--drop'])).exitCode).toBe(64);
  });
});

describe('tasks prune', () => {
  it('deletes what is old enough and over, never what waits or is held; --dry-run only counts', async () => {
    await put(await site.enqueue('noop'), 'succeeded', 8 * day);
    await put(await site.enqueue('noop'), 'failed', 8 * day);
    await put(await site.enqueue('noop'), 'failed', 91 * day);
    await put(await site.enqueue('noop'), 'held', 400 * day);
    await put(await site.enqueue('noop'), 'waiting', 400 * day);
    const dry = json(await site.tend(['tasks', 'prune', '--dry-run', '--json']));
    expect(dry).toEqual({ dryRun: true, tasks: 2 });
    expect(await site.database.query('select from tend.tasks')).toHaveLength(5);
    expect(json(await site.tend(['tasks', 'prune', '--json']))).toEqual({ dryRun: false, tasks: 2 });
    expect(json(await site.tend(['tasks', 'prune', '--older-than', '1d', '--json']))).toMatchObject({
      tasks: 1,
    });
    const left = await site.database.query('select state from tend.tasks order by 1');
    expect(left).toEqual([{ state: 'held' }, { state: 'waiting' }]);
  });

  it('happens in every tick', async () => {
    await put(await site.enqueue('noop'), 'succeeded', 8 * day);
    expect(json(await site.tend(['run-due-tasks', '--json']))).toMatchObject({ pruned: 1, isIdle: false });
    expect(await site.database.query('select from tend.tasks')).toEqual([]);
  });
});
