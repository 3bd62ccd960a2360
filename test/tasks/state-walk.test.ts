import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TendError } from '../../src/errors.ts';
import { cancelTask, retryTask } from '../../src/tasks/change-task.ts';
import type { ClaimedTask } from '../../src/tasks/claim-due-tasks.ts';
import { claimTask } from '../../src/tasks/claim-task.ts';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { judgeAttempt } from '../../src/tasks/judge-attempt.ts';
import { reapLostTasks } from '../../src/tasks/reap-lost-tasks.ts';
import { renewLeases } from '../../src/tasks/renew-leases.ts';
import { type Decision, resolveTask } from '../../src/tasks/resolve-task.ts';
import { returnStrayClaims } from '../../src/tasks/return-stray-claims.ts';
import { startTaskNow } from '../../src/tasks/start-task-now.ts';
import { type Transition, transitions } from '../../src/tasks/states.ts';
import { workerIdentity } from '../../src/tasks/worker-identity.ts';
import { createQueue, defaultPolicy, fakeKinds, type Queue, succeed } from './support/queue.ts';

let queue: Queue;
let session: pg.Client;

beforeAll(async () => {
  queue = await createQueue();
  session = await queue.database.connect();
  await query(`
    create table public.moves (place bigint generated always as identity, task_id bigint, was text, is_now text);
    create function public.note_move() returns trigger language plpgsql as $$
    begin
      insert into public.moves (task_id, was, is_now) values (new.id, case when tg_op = 'UPDATE' then old.state end, new.state);
      return null;
    end $$;
    create trigger note_insert after insert on tend.tasks for each row execute function public.note_move();
    create trigger note_move after update on tend.tasks for each row when (old.state <> new.state)
      execute function public.note_move()`);
});
afterAll(async () => {
  await session.end();
  await queue[Symbol.asyncDispose]();
});

/** Over one session for the whole walk: a step takes many looks. */
async function query<Row extends pg.QueryResultRow>(text: string, params: unknown[] = []): Promise<Row[]> {
  return (await session.query<Row>(text, params)).rows;
}

type Actor = Transition['by'];

/** What the walk knows: workers that hold or held tasks, and which claims ended without a row in the history. */
interface Walk {
  workers: ReturnType<typeof workerIdentity>[];
  claims: { task: ClaimedTask; worker: number }[];
  unrecorded: Set<string>;
}

interface Step {
  /** Who may move tasks in this step. */
  by: readonly Actor[];
  run(walk: Walk): Promise<unknown>;
}

const some = fc.nat(1000);
const pick = <T>(list: readonly T[], place: number): T | undefined => list[place % list.length];

async function aTask(place: number): Promise<number> {
  const ids = await query<{ id: string }>('select id from tend.tasks order by id');
  return Number(pick(ids, place)?.id ?? 1);
}

const enqueue = fc
  .record({
    unique_key: fc.constantFrom(null, 'a', 'b'),
    mutex: fc.constantFrom(null, null, 'm'),
    max_attempts: fc.integer({ min: 1, max: 3 }),
    kind: fc.constantFrom('noop', 'noop', 'hold'),
  })
  .map(({ kind, ...args }): Step => ({ by: [], run: () => queue.enqueue(kind, args) }));

const claim = fc.record({ worker: fc.nat(2), count: fc.integer({ min: 1, max: 3 }) }).map(
  ({ worker, count }): Step => ({
    by: ['worker'],
    async run({ workers, claims }) {
      await query(`update tend.tasks set run_at = now() where state = 'waiting'`);
      const who = workers[worker] ?? queue.worker;
      const tasks = await queue.claim({ worker: who, count, kinds: ['noop', 'hold'] });
      claims.push(...tasks.map((task) => ({ task, worker })));
    },
  }),
);

const claimOne = some.map(
  (place): Step => ({
    by: ['worker'],
    async run({ workers, claims }) {
      const [worker = queue.worker] = workers;
      const id = await aTask(place);
      claims.push({
        task: await claimTask({ db: queue.db, worker, leaseMs: 60_000, kinds: ['noop'], id }),
        worker: 0,
      });
    },
  }),
);

const startNow = fc.constant<Step>({
  by: ['worker', 'reaper'],
  async run({ workers, claims }) {
    const [worker = queue.worker] = workers;
    const kind = fakeKinds({ now: { run: succeed, mutex: 'm' } }).get('now');
    if (kind === undefined) throw new Error('no kind');
    claims.push({
      task: await startTaskNow({ db: queue.db, worker, kind, payload: {}, leaseMs: 60_000 }),
      worker: 0,
    });
  },
});

const endings = fc.constantFrom(
  { result: { outcome: 'succeeded' } } as const,
  { result: { outcome: 'unknown', reason: 'no reply' } } as const,
  { result: { outcome: 'postponed', delayMs: 1, reason: 'not yet' } } as const,
  { thrown: new Error('no luck') },
  { thrown: new TendError('INPUT_INVALID', 'never', { isPermanent: true }) },
);

const finish = fc
  .record({
    place: some,
    ended: endings,
    stop: fc.constantFrom(
      undefined,
      undefined,
      'worker-stopping',
      'cancel-requested',
      'timed-out',
      'lease-lost',
    ),
    isStarted: fc.boolean(),
  })
  .map(
    ({ place, ended, stop, isStarted }): Step => ({
      by: ['worker'],
      async run({ claims, unrecorded }) {
        const { task } = pick(claims, place) ?? {};
        if (task === undefined) return;
        const verdict = judgeAttempt({
          ...{ ended, stop, attempt: task.attempt, maxAttempts: task.maxAttempts, policy: defaultPolicy },
          ...{
            onStop: 'release',
            random: 0.5,
            outputTail: null,
            followUps: [],
            redact: (text: string) => text,
          },
        });
        const isRecorded = isStarted || verdict.outcome !== 'released';
        const isHeld = (await queue.task(task.id)).lease_token === task.token;
        const [finished] = await finishAttempts({
          db: queue.db,
          endings: [{ task, ending: { ...verdict, isRecorded } }],
        });
        // Either it held the lease and wrote, or somebody else has decided long since.
        if (isHeld) expect(finished?.state).not.toBeNull();
        if (isHeld && !isRecorded) unrecorded.add(task.token);
      },
    }),
  );

const renew = some.map(
  (place): Step => ({
    by: [],
    async run({ claims }) {
      const { task } = pick(claims, place) ?? {};
      if (task === undefined) return;
      const isHeld = (await queue.task(task.id)).lease_token === task.token;
      const renewed = await renewLeases({ db: queue.db, leases: [task], leaseMs: 60_000 });
      expect(renewed).toHaveLength(isHeld ? 1 : 0);
    },
  }),
);

const reap = some.map(
  (place): Step => ({
    by: ['reaper'],
    async run({ claims }) {
      const { task } = pick(claims, place) ?? {};
      await query(
        `update tend.tasks set lease_until = now() - interval '1 s' where state = 'running' and id = $1`,
        [task?.id ?? 0],
      );
      await reapLostTasks({ db: queue.db, deadOwners: [] });
    },
  }),
);

const workerDies = fc.nat(2).map(
  (worker): Step => ({
    by: ['reaper'],
    async run({ workers }) {
      await reapLostTasks({ db: queue.db, deadOwners: [workers[worker]?.owner ?? ''] });
      workers[worker] = workerIdentity(`host${worker}`);
    },
  }),
);

const claimUnanswered = fc.record({ worker: fc.nat(2), to: fc.constantFrom('waiting', 'cancelled') }).map(
  ({ worker, to }): Step => ({
    by: ['worker'],
    async run({ workers, claims, unrecorded }) {
      const who = workers[worker] ?? queue.worker;
      const lost = await queue.claim({ worker: who, count: 2 });
      for (const { token } of lost) unrecorded.add(token);
      const knownTokens = claims.map(({ task }) => task.token);
      expect(await returnStrayClaims({ db: queue.db, owner: who.owner, knownTokens, to })).toBe(lost.length);
    },
  }),
);

const byPerson = fc
  .record({
    place: some,
    what: fc.constantFrom<'cancel' | 'retry' | Decision>('cancel', 'cancel', 'retry', 'done', 'drop'),
    isAgain: fc.boolean(),
  })
  .map(
    ({ place, what, isAgain }): Step => ({
      by: ['person'],
      async run() {
        const id = await aTask(place);
        if (what === 'cancel') return await cancelTask({ db: queue.db, id });
        if (what === 'retry' && !isAgain) return await retryTask({ db: queue.db, id });
        return await resolveTask({ db: queue.db, id, decision: what, decidedBy: 'ann' });
      },
    }),
  );

const step = fc.oneof(
  { arbitrary: enqueue, weight: 4 },
  { arbitrary: claim, weight: 4 },
  { arbitrary: finish, weight: 6 },
  { arbitrary: byPerson, weight: 4 },
  ...[claimOne, startNow, renew, reap, workerDies, claimUnanswered],
);

const refusals = new Set(['TASK_STATE_CONFLICT', 'TASK_NOT_FOUND', 'MUTEX_BUSY']);

/** Takes one step; one that the state machine refuses must have changed nothing. */
async function take(walk: Walk, { by, run }: Step): Promise<void> {
  const [before] = await query<{ place: string }>(
    'select coalesce(max(place), 0) as place from public.moves',
  );
  let isRefused = false;
  try {
    await run(walk);
  } catch (error) {
    if (!(error instanceof TendError) || !refusals.has(error.code)) throw error;
    isRefused = true;
  }
  const moves = await query<{ was: string | null; is_now: string }>(
    'select was, is_now from public.moves where place > $1 order by place',
    [before?.place],
  );
  for (const { was, is_now: isNow } of moves) {
    if (was === null) expect(['waiting', 'running']).toContain(isNow);
    else
      expect(
        transitions
          .filter(({ by: actor }) => by.includes(actor))
          .some(({ from, to }) => from === was && to === isNow),
        `${was} → ${isNow} by ${by.join()}`,
      ).toBe(true);
  }
  // A person who is refused changed nothing; a start that is refused may have reaped.
  if (isRefused && !by.includes('reaper')) expect(moves).toEqual([]);
}

/** What must be true after every step, read in one statement each. */
async function check({ claims, unrecorded }: Walk): Promise<void> {
  const violations = await query(`
    select 'two running with mutex ' || mutex as what from tend.tasks where state = 'running' group by mutex having count(mutex) > 1
    union all
    select 'two waiting with key ' || unique_key from tend.tasks where state = 'waiting' group by unique_key having count(unique_key) > 1
    union all
    select format('task %s: attempt %s of %s', id, attempt, max_attempts) from tend.tasks where attempt not between 0 and max_attempts
    union all
    select format('task %s: %s counted attempts on record, and the row says %s', t.id, counted, t.attempt)
      from tend.tasks t cross join lateral (
             select count(*) + case when t.state = 'running' then 1 else 0 end as counted from tend.attempts a
              where a.task_id = t.id and a.outcome not in ('released', 'postponed')) c
     where t.unique_key is null and counted <> t.attempt
    union all
    select format('task %s is %s and has reason %s', id, state, reason) from tend.tasks
     where state in ('held', 'failed', 'cancelled') and reason is null`);
  expect(violations).toEqual([]);
  const ended = await query<{ token: string }>(`
    select token from tend.attempts union all select lease_token from tend.tasks where state = 'running'`);
  const tokens = ended.map(({ token }) => token);
  expect(new Set(tokens).size).toBe(tokens.length);
  const known = claims.map(({ task }) => task.token).filter((token) => !unrecorded.has(token));
  expect(new Set(tokens)).toEqual(new Set(known));
}

it('whatever workers, reapers and people do in whatever order, the rules of the state machine hold', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 40 }), async (steps) => {
      await queue.clear();
      await query(
        `insert into tend.kinds (kind, source, max_attempts, on_lost) values ('hold', 'config', 2, 'hold')`,
      );
      const workers = [0, 1, 2].map((index) => workerIdentity(`host${index}`));
      const walk: Walk = { workers, claims: [], unrecorded: new Set() };
      for (const one of steps) {
        await take(walk, one);
        await check(walk);
      }
    }),
    { numRuns: 40, interruptAfterTimeLimit: 40_000, markInterruptAsFailure: false },
  );
}, 60_000);
