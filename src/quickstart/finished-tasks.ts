import type { ConnectionSettings } from '../connection/settings.ts';
import { openDatabase } from '../database/open-database.ts';
import { TendError } from '../errors.ts';
import { listTasks } from '../tasks/list-tasks.ts';
import { showTask } from '../tasks/show-task.ts';
import { port } from './quickstart-places.ts';

/** A task of the demo, as the queue remembers it. */
export interface FinishedTask {
  id: number;
  kind: string;
  state: string;
  /** What its last attempt left as proof. */
  evidence: Record<string, unknown>;
}

/**
 * The tasks of the demo, oldest first.
 *
 * @throws TendError TASK_FAILED when one of them has not succeeded.
 */
export async function readFinishedTasks(options: { serverDirectory: string }): Promise<FinishedTask[]> {
  await using db = openDatabase({ connection: demoConnection(options), applicationName: 'tend quickstart' });
  const { tasks } = await listTasks({ db, states: [], kinds: [], limit: 100 });
  const finished: FinishedTask[] = [];
  for (const { id, kind, state, lastError } of tasks.toReversed()) {
    if (state !== 'succeeded') {
      throw new TendError(
        'TASK_FAILED',
        `Task ${id} (${kind}) is ${state}: ${lastError ?? 'no error is known'}`,
        {
          hint: `Look into it: tend quickstart --keep, then tend tasks show ${id}`,
        },
      );
    }
    const { attempts } = await showTask({ db, id });
    finished.push({ id, kind, state, evidence: attempts.at(-1)?.evidence ?? {} });
  }
  return finished;
}

function demoConnection({ serverDirectory }: { serverDirectory: string }): ConnectionSettings {
  return {
    servers: [{ host: serverDirectory, port }],
    database: 'cms',
    user: 'cms_owner',
    sslMode: 'disable',
    targetSessionAttrs: 'any',
    connectTimeoutMs: 10_000,
    origin: 'quickstart',
  };
}
