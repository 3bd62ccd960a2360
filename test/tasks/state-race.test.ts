import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import type { Kysely } from 'kysely';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/open-database.ts';
import type { Database } from '../../src/database/tables.ts';
import { transitions } from '../../src/tasks/states.ts';
import { type Actor, act, application, type Journal, person, reaper, time, worker } from './model/actors.ts';
import { createQueue, type Queue } from './support/queue.ts';

let queue: Queue;
let session: pg.Client;
const databases: Kysely<Database>[] = [];

beforeAll(async () => {
  queue = await createQueue();
  session = await queue.database.connect();
  // Whoever waits in a circle is told at once, so that it is as often an application as one of our own.
  await session.query(`alter database "${queue.database.name}" set deadlock_timeout = '1ms'`);
  await session.query(`
    create table public.moves (place bigint generated always as identity, task bigint, was text, is_now text, by text,
      lost uuid, won uuid);
    create function public.note_move() returns trigger language plpgsql as $$
    begin
      insert into public.moves (task, was, is_now, by, lost, won) values (new.id,
        case when tg_op = 'UPDATE' then old.state end, new.state, current_setting('application_name'),
        case when tg_op = 'UPDATE' then old.lease_token end, new.lease_token);
      return null;
    end $$;
    create trigger note_insert after insert on tend.tasks for each row execute function public.note_move();
    create trigger note_move after update on tend.tasks for each row
      when (old.state <> new.state or old.lease_token is distinct from new.lease_token) execute function public.note_move()`);
});
afterAll(async () => {
  for (const db of databases) await db.destroy();
  await session.end();
  await queue[Symbol.asyncDispose]();
});

/** A session of its own for an actor, which its name tells apart in the log of moves. */
function openAs(name: string): Kysely<Database> {
  const db = openDatabase({ connection: queue.database.connection, applicationName: name });
  databases.push(db);
  return db;
}

async function prepare(): Promise<void> {
  await queue.clear();
  await session.query(`
    truncate public.moves;
    insert into tend.hosts (host, last_worker) values ('web1', 'w'), ('web2', 'w');
    insert into tend.kinds (kind, source, max_attempts, on_lost, mutex, max_running) values
      ('plain', 'config', 3, 'retry', null, null), ('careful', 'config', 3, 'hold', null, null),
      ('locked', 'config', 3, 'retry', 'm', null), ('limited', 'config', 3, 'retry', null, 2)`);
}

/** What no snapshot may ever show. Tasks that a person started have no place, and are above limits. */
const violations = `
  select 'two run with mutex ' || mutex as what from tend.tasks where state = 'running' group by mutex having count(mutex) > 1
  union all
  select 'two wait with key ' || unique_key from tend.tasks where state = 'waiting' group by unique_key having count(unique_key) > 1
  union all
  select 'more than 2 run of kind limited' from tend.tasks where state = 'running' and kind = 'limited' and limit_place is not null
   having count(*) > 2
  union all
  select 'more than 3 run on web1' from tend.tasks where state = 'running' and starts_with(lease_owner, 'web1:')
     and host_place is not null having count(*) > 3
  union all
  select format('task %s is %s with %s of %s attempts', id, state, attempt, max_attempts) from tend.tasks
   where attempt not between 0 and max_attempts
  union all
  select format('task %s is %s without a reason', id, state) from tend.tasks
   where state in ('held', 'failed', 'cancelled') and reason is null`;

/** Every move there was, in the order of each task, with who made it. */
async function checkMoves(journal: Journal): Promise<void> {
  const { rows: moves } = await session.query<{
    task: string;
    was: string | null;
    is_now: string;
    by: string;
    lost: string | null;
    won: string | null;
  }>('select task, was, is_now, by, lost, won from public.moves order by place');
  const states = new Map<string, { state: string; token: string | null }>();
  const won: string[] = [];
  for (const { task, was, is_now: isNow, by, lost, won: token } of moves) {
    const before = states.get(task);
    expect([was, lost], `task ${task}`).toEqual([before?.state ?? null, before?.token ?? null]);
    const isAllowed = was === null ? by === 'application' && isNow === 'waiting' : mayMove(was, isNow, by);
    expect(isAllowed, `${was} → ${isNow} by ${by}`).toBe(true);
    states.set(task, { state: isNow, token });
    if (token !== null) won.push(token);
  }
  // No task is lost, and no claim is won twice.
  expect(new Set(states.keys())).toEqual(new Set([...(await idsOf('tend.tasks'))]));
  for (const id of journal.enqueued) expect(states.has(String(id))).toBe(true);
  expect(new Set(won).size).toBe(won.length);
  await checkAttempts(journal, won);
}

function mayMove(was: string, isNow: string, by: string): boolean {
  return transitions.some(({ from, to, by: actor }) => from === was && to === isNow && actor === by);
}

async function idsOf(table: string): Promise<string[]> {
  return (await session.query<{ id: string }>(`select id from ${table}`)).rows.map(({ id }) => id);
}

/** Every start is on record once, or runs, or was given back as if it had not been; a late finish left no trace. */
async function checkAttempts(journal: Journal, won: readonly string[]): Promise<void> {
  const { rows: attempts } = await session.query<{ token: string; outcome: string }>(
    'select token, outcome from tend.attempts',
  );
  const { rows: running } = await session.query<{ token: string }>(
    `select lease_token as token from tend.tasks where state = 'running'`,
  );
  const outcomes = new Map(attempts.map(({ token, outcome }) => [token, outcome]));
  const unrecorded = journal.finished.filter(({ ending }) => !ending.isRecorded).map(({ token }) => token);
  const accounted = [...outcomes.keys(), ...running.map(({ token }) => token), ...unrecorded];
  expect(accounted.toSorted()).toEqual(won.toSorted());
  for (const { token, ending } of journal.finished) {
    if (ending.isRecorded) expect(outcomes.get(token)).toBe(ending.outcome);
  }
}

/** Who acts, each over a session of its own, which tells its moves from those of others. */
function actors(): { name: string; make(db: Kysely<Database>, journal: Journal): Actor }[] {
  const onWeb1 = { host: 'web1', hostLimit: 3 };
  return [
    { name: 'application', make: application },
    { name: 'application', make: application },
    { name: 'worker', make: (db, journal) => worker(db, journal, onWeb1) },
    { name: 'worker', make: (db, journal) => worker(db, journal, onWeb1) },
    { name: 'worker', make: (db, journal) => worker(db, journal, { host: 'web2' }) },
    { name: 'worker', make: (db, journal) => worker(db, journal, { host: 'web2' }) },
    { name: 'reaper', make: reaper },
    { name: 'person', make: person },
    { name: 'time', make: time },
  ];
}

it('workers, reapers, applications and people at once: nothing is lost, run by two or moved by who may not', async () => {
  const cast = actors().map(({ name, make }) => ({ make, db: openAs(name) }));
  const script = fc.noBias(fc.array(fc.nat(2 ** 20), { minLength: 40, maxLength: 40 }));
  await fc.assert(
    fc.asyncProperty(fc.tuple(...cast.map(() => script)), async (scripts) => {
      await prepare();
      const journal: Journal = { enqueued: new Set(), finished: [] };
      const playing = cast.map(async ({ make, db }, index) => {
        const actor = make(db, journal);
        for (const choice of scripts[index] ?? []) await act(actor, choice);
      });
      const playedOut = Promise.allSettled(playing).then(() => true);
      while (!(await Promise.race([playedOut, delay(5, false)]))) {
        expect((await session.query(violations)).rows).toEqual([]);
      }
      await Promise.all(playing);
      await checkMoves(journal);
    }),
    { numRuns: 8, interruptAfterTimeLimit: 60_000, endOnFailure: true },
  );
}, 90_000);
