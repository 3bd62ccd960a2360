import { findReplacingTasks } from '../tasks/find-replacing-tasks.ts';
import type { CommandContext } from './command-context.ts';
import { confirmByName } from './confirm-by-name.ts';

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
    /** What `--confirm` said. */
    given: string | undefined;
    /** The command that does it, without `--confirm`. */
    command: string;
  },
): Promise<void> {
  const { ids, given, command } = options;
  const replacing = await findReplacingTasks({ db: await context.openDatabase(), ids });
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
