import { findReplacingTasks } from '../tasks/find-replacing-tasks.ts';
import type { TaskState } from '../tasks/states.ts';
import type { CommandContext } from './command-context.ts';
import { confirmByName } from './confirm-by-name.ts';

const states = {
  retry: ['failed', 'cancelled', 'missed'],
  resolve: ['held'],
} as const satisfies Record<string, readonly TaskState[]>;

/**
 * Before tasks run again: those that replace the live database need what `tend restore` itself needs, its name, by
 * `--confirm` or typed. Where it is missing none of them runs.
 *
 * @throws TendError CONFIRMATION_MISSING.
 */
export async function confirmReplacingTasks(
  context: CommandContext,
  options: {
    ids: readonly number[];
    /** `retry` lets out those that have ended, `resolve` those that are held. */
    way: 'retry' | 'resolve';
    /** What `--confirm` said. */
    given: string | undefined;
    /** The command that does it, without `--confirm`. */
    command: string;
  },
): Promise<void> {
  const { ids, way, given, command } = options;
  const db = await context.openDatabase();
  const replacing = await findReplacingTasks({ db, ids, states: states[way] });
  if (replacing.length === 0) return;
  const { database } = await context.connection();
  const tasks = replacing.map(({ id, restore }) => `task ${id} (restore ${restore})`).join(', ');
  await confirmByName({
    question: `Database "${database}" will be replaced when this runs again: ${tasks}.`,
    name: database,
    flag: '--confirm',
    given,
    command,
    ...{ input: process.stdin, output: process.stderr, signal: context.signal },
  });
}
