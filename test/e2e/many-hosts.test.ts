import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { expect, it } from 'vitest';
import { markedProcesses } from '../processes/support/marked-processes.ts';
import { newMark } from '../processes/support/tool-call.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { count, type KillStorm, killAgainAndAgain, observe } from './kill-storm.ts';
import { createQueueSite, scriptKind } from './queue-site.ts';

const hosts = ['web1', 'web2', 'web3'];
/** Per-minute schedules; each is let fall behind by some minutes while the hosts tick. */
const schedules = Array.from({ length: 30 }, (_, index) => `s${index}`);
const minutesBehind = 6;
/** After this, ticks may live. */
const killingMs = 15_000;

const toml = [
  '[tasks]\nlease = "3s"\n',
  scriptKind('append', 'echo "$TEND_TASK_ID $TEND_ATTEMPT" >> log; sleep 0.15', {
    env: ['MARK'],
    max_attempts: 100,
  }),
  ...schedules.map(
    (name) => `[schedules.${name}]
cron = "* * * * *"
kind = "append"
catch_up = "all"
overlap = "queue"
`,
  ),
  '[schedules.everywhere]\ncron = "* * * * *"\nkind = "noop"\ncatch_up = "all"\noverlap = "queue"\nhost = "*"\n',
].join('');

/** Lets one schedule after another be behind, so that the hosts race for each; then waits until all is worked off. */
async function letThemRace(storm: KillStorm, observer: pg.Client): Promise<void> {
  const until = async (isTrue: () => Promise<boolean>) => {
    while (!(await isTrue())) {
      await observe(storm, observer);
      await sleep(30);
    }
  };
  const all = schedules.length + 1;
  const declared = `from tend.schedules where next_slot > '-infinity' and cardinality(declared_by) = 3`;
  await until(async () => (await count(observer, declared)) === all);
  for (const name of ['everywhere', ...schedules]) {
    await observer.query(
      `update tend.schedules set next_slot = date_trunc('minute', now()) - $2 * interval '1 min' where name = $1`,
      [name, minutesBehind],
    );
    const untilMs = performance.now() + storm.random() * 300;
    await until(async () => performance.now() > untilMs);
  }
  await until(async () => (await count(observer, 'from tend.schedules where next_slot > now()')) === all);
  await observer.query('update tend.schedules set enabled = false');
  const unfinished = `from tend.tasks where state in ('waiting', 'running')`;
  await until(async () => (await count(observer, unfinished)) === 0);
  storm.isOver = true;
}

it('three hosts whose ticks are killed -9 at random run each of 200 occurrences exactly once', async () => {
  // oxlint-disable-next-line node/no-process-env -- to look again at the storm of a failure
  const seed = Number(process.env['TEND_TEST_SEED'] ?? Math.floor(Math.random() * 1e9));
  process.stdout.write(`many hosts: TEND_TEST_SEED=${seed}\n`);
  await using site = await createQueueSite(toml);
  const observer = await site.database.connect();
  await site.tend(['migrations', 'up']);
  const mark = newMark();
  const endsAtMs = performance.now() + killingMs;
  const args = ['run-due-tasks', '--drain'];
  const random = seededRandom(seed);
  const kill = { random, connected: new Set<number>(), endsAtMs, killsLeft: Number.POSITIVE_INFINITY };
  const storm: KillStorm = { site, args, ...kill, isOver: false };
  const [, ...ticking] = await Promise.all([
    letThemRace(storm, observer),
    ...[...hosts, ...hosts].map((host) => killAgainAndAgain(storm, { MARK: mark, TEND_TASKS_HOST: host })),
  ]);
  const killed = ticking.reduce((sum, slot) => sum + slot.killed, 0);
  const lost = await count(observer, `from tend.attempts where outcome = 'lost'`);
  const occurrences = await count(observer, 'from tend.tasks where slot_at is not null');
  await observer.end();
  const { query } = site.database;
  process.stdout.write(
    `many hosts: ${occurrences} occurrences, ${killed} ticks killed, ${lost} attempts lost\n`,
  );
  expect(ticking.flatMap(({ odd }) => odd)).toEqual([]);
  expect(killed).toBeGreaterThan(hosts.length);
  expect(lost).toBeGreaterThan(0);
  expect(occurrences).toBeGreaterThanOrEqual(200);

  // No slot is missing and none is there twice: as many rows as minutes between the first and the last.
  const rows = await query(`
    select schedule, host, count(*)::int as rows, count(distinct slot_at)::int as slots,
           (extract(epoch from max(slot_at) - min(slot_at)) / 60 + 1)::int as minutes
      from tend.tasks where slot_at is not null group by schedule, host`);
  expect(rows.filter(({ rows: n, slots, minutes }) => n !== slots || n !== minutes)).toEqual([]);
  expect(rows).toHaveLength(schedules.length + hosts.length);
  expect(rows.every(({ slots }) => Number(slots) >= minutesBehind)).toBe(true);

  // Each succeeded, once; every other start was lost with its worker.
  const wrong = await query(`
    select t.id, t.state, t.attempt, array_agg(a.outcome order by a.started_at) as outcomes
      from tend.tasks t left join tend.attempts a on a.task_id = t.id
     group by t.id
    having t.state <> 'succeeded' or count(*) filter (where a.outcome = 'succeeded') <> 1
        or count(*) filter (where a.outcome not in ('succeeded', 'lost')) > 0 or count(*) <> t.attempt`);
  expect(wrong).toEqual([]);
  const starts = await site.lines('log');
  expect(new Set(starts).size).toBe(starts.length);

  // What was enqueued for every host was run by the host it was for.
  const elsewhere = await query(`
    select t.id, t.host, a.owner from tend.tasks t join tend.attempts a on a.task_id = t.id
     where t.host is not null and split_part(a.owner, ':', 1) <> t.host`);
  expect(elsewhere).toEqual([]);

  await expect.poll(() => site.sessions()).toEqual([]);
  await expect.poll(() => markedProcesses(mark)).toEqual([]);
}, 300_000);
