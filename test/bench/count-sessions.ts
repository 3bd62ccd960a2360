import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchDatabase } from './bench.ts';

/** Sessions the server let into `database` while `action` ran, from its own log: no sampling could miss one. */
export async function countSessions(
  bench: Bench,
  { connection }: BenchDatabase,
  action: () => Promise<unknown>,
): Promise<number> {
  const before = (await readFile(bench.serverLog)).length;
  await action();
  const logged = (await readFile(bench.serverLog)).subarray(before).toString();
  const authorized = new RegExp(`connection authorized: .* database=${connection.database}( |$)`, 'gm');
  return logged.match(authorized)?.length ?? 0;
}

/** Sessions in the database that are not the bench's own; a server process needs a moment to go after its client went. */
export async function countSessionsLeft({ client }: BenchDatabase): Promise<number> {
  let left = 0;
  for (let tries = 0; tries < 50; tries++) {
    const { rows } = await client.query<{ left: number }>(
      `select count(*)::integer as left from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    left = rows[0]?.left ?? 0;
    if (left === 0) return 0;
    await sleep(20);
  }
  return left;
}
