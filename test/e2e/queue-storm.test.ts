import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { expect, it } from 'vitest';
import { markedProcesses } from '../processes/support/marked-processes.ts';
import { newMark } from '../processes/support/tool-call.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { count, type KillStorm, killAgainAndAgain, observe } from './kill-storm.ts';
import { createQueueSite, scriptKind } from './queue-site.ts';

/** Ticks at a time, each killed and started again. */
const workers = 8;
/** After this, what runs may live: the queue must come to its end. */
const killingMs = 18_000;
/** Also after this. */
const mostKills = 8 * workers;
/** No tick is late by it, however busy eight of them keep the machine; the dead are known by their process ids. */
const lease = '20s';

/**
 * Appends `id attempt` with one write; those with a mutex also prove that they are alone. A killed worker's command
 * may take a moment to die, so the lock is waited for, but not for long.
 */
const script = `
  mutex=$(sed -n 's/.*"mutex": *"\\([^"]*\\)".*/\\1/p')
  if [ -n "$mutex" ]; then exec 9> "lock-$mutex"; flock -w 2 9 || echo "$mutex" >> overlaps; fi
  echo "$TEND_TASK_ID $TEND_ATTEMPT" >> log`;

const enqueueAll = `
  select tend.enqueue('noop', queue => 'storm', priority => (random() * 100)::int, max_attempts => 100)
    from generate_series(1, 1500);
  select tend.enqueue('noop', queue => 'storm', priority => (random() * 100)::int, max_attempts => 100,
                      unique_key => 'key-' || n)
    from generate_series(1, 150) n;
  select tend.enqueue('append', queue => 'storm', priority => (random() * 100)::int, max_attempts => 100)
    from generate_series(1, 250);
  select tend.enqueue('append', jsonb_build_object('mutex', 'm' || n % 4), queue => 'storm',
                      priority => (random() * 100)::int, max_attempts => 100, mutex => 'm' || n % 4)
    from generate_series(1, 100) n`;

/** Ends the storm when nothing is left to do. */
async function watch(storm: KillStorm, observer: pg.Client): Promise<void> {
  while (!storm.isOver) {
    await observe(storm, observer);
    const unfinished = await count(observer, `from tend.tasks where state in ('waiting', 'running')`);
    if (unfinished === 0) storm.isOver = true;
    await sleep(30);
  }
}

it('no task is lost or done twice by eight ticks that are killed -9 again and again', async () => {
  // oxlint-disable-next-line node/no-process-env -- to look again at the storm of a failure
  const seed = Number(process.env['TEND_TEST_SEED'] ?? Math.floor(Math.random() * 1e9));
  process.stdout.write(`kill storm: TEND_TEST_SEED=${seed}\n`);
  const toml = `[tasks]\nlease = "${lease}"\nconcurrency = 4\n${scriptKind('append', script, { env: ['MARK'] })}`;
  await using site = await createQueueSite(toml);
  const observer = await site.database.connect();
  await site.tend(['migrations', 'up']);
  await observer.query(enqueueAll);

  const mark = newMark();
  const random = seededRandom(seed);
  const endsAtMs = performance.now() + killingMs;
  const args = ['run-due-tasks', '--drain', '--queue', 'storm'];
  const kill = { random, connected: new Set<number>(), endsAtMs, killsLeft: mostKills };
  const storm: KillStorm = { site, args, ...kill, isOver: false };
  const [, ...slots] = await Promise.all([
    watch(storm, observer),
    ...Array.from({ length: workers }, () => killAgainAndAgain(storm, { MARK: mark })),
  ]);

  // The storm was one, and no tick that was allowed to end had anything to complain about.
  const killed = slots.reduce((sum, slot) => sum + slot.killed, 0);
  const lost = await count(observer, `from tend.attempts where outcome = 'lost'`);
  process.stdout.write(`kill storm: ${killed} ticks killed, ${lost} attempts lost\n`);
  expect(slots.flatMap(({ odd }) => odd)).toEqual([]);
  expect(killed).toBeGreaterThan(workers);
  expect(lost).toBeGreaterThan(0);

  // Every task succeeded, once; every other attempt was lost with its worker.
  expect(await count(observer, `from tend.tasks where state = 'succeeded'`)).toBe(2000);
  const { rows: wrong } = await observer.query(`
    select t.id, t.state, t.attempt, array_agg(a.outcome order by a.started_at) as outcomes
      from tend.tasks t left join tend.attempts a on a.task_id = t.id
     group by t.id
    having count(*) filter (where a.outcome = 'succeeded') <> 1
        or count(*) filter (where a.outcome not in ('succeeded', 'lost')) > 0
        or count(*) <> t.attempt or t.lease_token is not null`);
  expect(wrong).toEqual([]);

  // Every start of a command is an attempt on record, and no attempt was started twice.
  const starts = (await site.lines('log')).map((line) => line.split(' ').join('/'));
  const { rows: attempts } = await observer.query<{ start: string; outcome: string }>(`
    select a.task_id || '/' || a.attempt as start, a.outcome
      from tend.attempts a join tend.tasks t on t.id = a.task_id where t.kind = 'append'`);
  expect(new Set(starts).size).toBe(starts.length);
  expect(attempts.map(({ start }) => start)).toEqual(expect.arrayContaining(starts));
  const succeeded = attempts.filter(({ outcome }) => outcome === 'succeeded').map(({ start }) => start);
  expect(starts).toEqual(expect.arrayContaining(succeeded));
  expect(await site.lines('overlaps')).toEqual([]);

  await observer.end();
  await expect.poll(() => site.sessions()).toEqual([]);
  await expect.poll(() => markedProcesses(mark)).toEqual([]);
}, 300_000);
