import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { BenchDatabase } from './bench.ts';

const everyMs = 20;

/**
 * How long nobody could use the database while `work` ran, as a client sees it that connects every 20 ms: from the last
 * connection that answered before one failed to the first that answers again.
 */
export async function probeOutage(
  { url }: Pick<BenchDatabase, 'url'>,
  work: () => Promise<unknown>,
): Promise<number> {
  const state = { isAtWork: true };
  const working = work().finally(() => {
    state.isAtWork = false;
  });
  working.catch(() => undefined);
  let lastAnswer = performance.now();
  let hasFailed = false;
  const outages = [0];
  const waits = [0];
  while (state.isAtWork || hasFailed) {
    if (await answers(url)) {
      const now = performance.now();
      (hasFailed ? outages : waits).push(now - lastAnswer);
      lastAnswer = now;
      hasFailed = false;
    } else hasFailed = true;
    await sleep(everyMs);
  }
  await working;
  return outages.length > 1 ? Math.max(...outages) : Math.max(...waits);
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
