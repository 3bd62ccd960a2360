import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchDatabase } from './bench.ts';

/** Sessions of ticks the server let in while `action` ran, from its own log: no sampling could miss one. */
export async function countTickSessions(bench: Bench, action: () => Promise<unknown>): Promise<number> {
  const before = (await readFile(bench.serverLog)).length;
  await action();
  const logged = (await readFile(bench.serverLog)).subarray(before).toString();
  return logged.match(/connection authorized: .*application_name=tend run-due-tasks/g)?.length ?? 0;
}

/** Sessions of ticks that are still there; a server process needs a moment to go after its client went. */
export async function countTickSessionsLeft({ client }: BenchDatabase): Promise<number> {
  let left = 0;
  for (let tries = 0; tries < 50; tries++) {
    const { rows } = await client.query<{ left: number }>(
      `select count(*)::integer as left from pg_stat_activity where application_name like 'tend %'`,
    );
    left = rows[0]?.left ?? 0;
    if (left === 0) return 0;
    await sleep(20);
  }
  return left;
}
