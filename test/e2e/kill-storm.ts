import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { QueueSite } from './queue-site.ts';

/** Ticks that are started and killed -9 again and again until whoever watches says that it is over. */
export interface KillStorm {
  site: QueueSite;
  /** Arguments of `tend`. */
  args: readonly string[];
  random: () => number;
  /** Process ids that have been seen with a session. */
  connected: Set<number>;
  /** On the clock of `performance.now()`: after this, what runs may live. */
  endsAtMs: number;
  /** After as many kills, what runs may live as well: a fast machine has its storm in less time. */
  killsLeft: number;
  isOver: boolean;
}

/** Starts ticks one after another and kills each, most of them some time after they have begun to work. */
export async function killAgainAndAgain(
  storm: KillStorm,
  env: Record<string, string>,
): Promise<{ killed: number; odd: unknown[] }> {
  const { site, args, random, connected } = storm;
  let killed = 0;
  const odd: unknown[] = [];
  while (!storm.isOver) {
    const tick = await site.start(args, { env });
    let hasEnded = false;
    const ended = tick.result.finally(() => {
      hasEnded = true;
    });
    const isKilledEarly = random() < 0.2;
    const delayMs = 100 + random() * 500;
    const lives = () => !hasEnded && storm.killsLeft > 0 && performance.now() < storm.endsAtMs;
    const isToBeAwaited = () => lives() && !isKilledEarly && !connected.has(tick.pid);
    while (isToBeAwaited()) await sleep(10);
    await Promise.race([sleep(delayMs), ended]);
    if (lives()) {
      storm.killsLeft -= 1;
      tick.child.kill('SIGKILL');
    }
    const { exitCode, signal, stderr } = await ended;
    if (signal === 'SIGKILL') killed += 1;
    else if (exitCode !== 0) odd.push({ exitCode, signal, stderr });
    else await sleep(50);
  }
  return { killed, odd };
}

/** Notes who has a session, and lets tasks that were lost be due at once. */
export async function observe(storm: KillStorm, observer: pg.Client): Promise<void> {
  const { rows } = await observer.query<{ pid: number }>(
    `select substring(application_name from '\\d+$')::int as pid from pg_stat_activity
      where datname = current_database() and application_name like 'tend run-due-tasks %'`,
  );
  for (const { pid } of rows) storm.connected.add(pid);
  await observer.query(`update tend.tasks set run_at = now() where state = 'waiting' and run_at > now()`);
}

export async function count(observer: pg.Client, query: string): Promise<number> {
  const { rows } = await observer.query<{ count: number }>(`select count(*)::int as count ${query}`);
  return rows[0]?.count ?? 0;
}
