import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import type { Application } from './application.ts';
import type { FailOver } from './fail-over.ts';
import { startsFile } from './site.ts';
import type { Tick } from './tend-host.ts';

/** What the run has left to be judged. */
export interface Outcome {
  application: Application;
  failOvers: readonly FailOver[];
  ticks: readonly Tick[];
  /** A session at the last primary. */
  client: pg.Client;
  /** Command lines of what is still running on the hosts of tend. */
  leftProcesses: readonly string[];
}

export interface Guarantee {
  title: string;
  /** What breaks it, one line each; none where it was kept. */
  breaches(outcome: Outcome): Promise<string[]>;
}

/** Each is one line of the result; more are added here. */
export const guarantees: readonly Guarantee[] = [
  {
    title: 'every enqueue that was acknowledged is a task that has succeeded',
    async breaches({ client, application }) {
      const succeeded = await numbersOf(client, `state = 'succeeded'`);
      return [...application.acknowledged.keys()].filter((n) => !succeeded.has(n)).map((n) => `number ${n}`);
    },
  },
  {
    title: 'no task is there that was not enqueued, and none is there twice',
    async breaches({ client, application }) {
      const { rows } = await client.query<{ n: number; count: number }>(
        `select (payload->>'n')::int as n, count(*)::int as count from tend.tasks where schedule is null
          group by 1`,
      );
      return rows
        .filter(
          ({ n, count }) => count > 1 || !(application.acknowledged.has(n) || application.unknown.has(n)),
        )
        .map(({ n, count }) => `number ${n}: ${count}`);
    },
  },
  {
    title: 'every task succeeded once, and each attempt before that is on record as lost',
    breaches: ({ client }) =>
      lines(
        client,
        `select format('task %s (%s) is %s after attempts %s', t.id, t.kind, t.state, array_agg(a.outcome)) as line
           from tend.tasks t left join tend.attempts a on a.task_id = t.id group by t.id
         having t.state <> 'succeeded' or t.attempt <> count(*)
             or count(*) filter (where a.outcome = 'succeeded') <> 1
             or count(*) filter (where a.outcome = 'lost') <> count(*) - 1`,
      ),
  },
  {
    title: 'every minute between the first and the last has its occurrence of each schedule, once',
    breaches: ({ client }) =>
      lines(
        client,
        `select format('%s: %s rows and %s slots in %s minutes', schedule, count(*), count(distinct slot_at),
                       extract(epoch from max(slot_at) - min(slot_at)) / 60 + 1) as line
           from tend.tasks where slot_at is not null group by schedule
         having count(*) <> count(distinct slot_at)
             or count(*) <> extract(epoch from max(slot_at) - min(slot_at)) / 60 + 1
         union all select 'there are only ' || count(distinct schedule) || ' schedules with occurrences'
           from tend.tasks where slot_at is not null having count(distinct schedule) < 3`,
      ),
  },
  {
    title: 'every start of a command has an attempt on record, and one only',
    async breaches({ client }) {
      const starts = (await readFile(startsFile, 'utf8')).trimEnd().split('\n').sort();
      const attempts = await lines(
        client,
        `select format('%s %s', task_id, attempt) as line from tend.attempts`,
      );
      const known = new Set(attempts);
      const wrong = starts.filter((start, index) => !known.has(start) || start === starts[index - 1]);
      return wrong.map((start) => `start of task and attempt ${start}`);
    },
  },
  {
    title: 'only attempts that ran while a primary was missing or a standby behind were repeated',
    async breaches({ client, failOvers }) {
      const { rows } = await client.query<{ task: string; start: Date; end: Date }>(
        `select task_id as task, started_at as start, finished_at as "end" from tend.attempts where outcome = 'lost'`,
      );
      return rows
        .filter(({ start, end }) => !failOvers.some((one) => start < one.endedAt && end > one.startedAt))
        .map(({ task, start }) => `task ${task}, started ${start.toISOString()}`);
    },
  },
  {
    title: 'a tick ended well, or with 69: database unreachable',
    breaches: async ({ ticks }) =>
      ticks
        .filter(({ exitCode }) => exitCode !== 0 && exitCode !== 69)
        .map(({ host, exitCode, signal, stderr }) => `${host}: ${exitCode ?? signal}: ${stderr}`),
  },
  {
    title: 'no session of tend is left',
    breaches: ({ client }) =>
      lines(
        client,
        `select application_name as line from pg_stat_activity where application_name like 'tend %'`,
      ),
  },
  {
    title: 'no process of tend is left, and no child of one',
    breaches: async ({ leftProcesses }) => [...leftProcesses],
  },
];

export async function countLost(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from tend.attempts where outcome = 'lost'`,
  );
  return rows[0]?.count ?? 0;
}

async function numbersOf(client: pg.Client, condition: string): Promise<Set<number>> {
  const { rows } = await client.query<{ n: number }>(
    `select (payload->>'n')::int as n from tend.tasks where ${condition}`,
  );
  return new Set(rows.map(({ n }) => n));
}

async function lines(client: pg.Client, sql: string): Promise<string[]> {
  return (await client.query<{ line: string }>(sql)).rows.map(({ line }) => line);
}
