import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { connectClient } from '../../src/connection/connect-client.ts';
import type { ConnectionSettings } from '../../src/connection/settings.ts';

/** A client that enqueues ten tasks a second and connects anew whenever its connection is lost. */
export interface Application {
  /** Numbers of the tasks whose enqueueing was acknowledged, with the time of that. */
  readonly acknowledged: ReadonlyMap<number, number>;
  /** Numbers of those where nobody knows: the connection was lost before the answer. */
  readonly unknown: ReadonlySet<number>;
  stop(): Promise<void>;
}

const pauseMs = 100;

export function startApplication(settings: ConnectionSettings): Application {
  const acknowledged = new Map<number, number>();
  const unknown = new Set<number>();
  const end = new AbortController();
  const run = async (): Promise<void> => {
    let client: pg.Client | undefined;
    for (let n = 1; !end.signal.aborted; n++) {
      try {
        client ??= await connect(settings);
      } catch {
        await sleep(pauseMs);
        continue; // not sent at all
      }
      try {
        await client.query('select tend.enqueue($1, $2)', [kindOf(n), JSON.stringify({ n })]);
        acknowledged.set(n, performance.now());
      } catch {
        unknown.add(n);
        close(client);
        client = undefined;
      }
      await sleep(pauseMs);
    }
    await client?.end();
  };
  const running = run();
  return {
    acknowledged,
    unknown,
    async stop() {
      end.abort();
      await running;
    },
  };
}

/** Several are running at any time, and one in fifty outlasts a fail-over. */
function kindOf(n: number): string {
  if (n % 50 === 25) return 'long';
  if (n % 10 === 0) return 'lasting';
  return n % 10 === 5 ? 'quick' : 'noop';
}

async function connect(settings: ConnectionSettings): Promise<pg.Client> {
  const config = { application_name: 'application', query_timeout: 3000 };
  const client = await connectClient({ settings, config });
  client.on('error', () => {});
  return client;
}

/** Of a connection that may be half-open: its end is not waited for. */
function close(client: pg.Client): void {
  client.end().catch(() => undefined);
}
