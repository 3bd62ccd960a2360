import { TendError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommandOutcome } from './command-context.ts';

/** What became of one of several tasks. */
interface ChangedTask {
  id: number;
  result: string;
  error?: string;
}

/**
 * Applies `change` to each task; one that cannot be changed does not keep the others from it. A single one that
 * cannot is the command's error; of several, exit 3 says that some could not.
 */
export async function changeTasks(
  ids: readonly number[],
  change: (id: number) => Promise<string>,
): Promise<CommandOutcome> {
  const tasks: ChangedTask[] = [];
  for (const id of ids) {
    try {
      tasks.push({ id, result: await change(id) });
    } catch (error) {
      if (!(error instanceof TendError) || ids.length === 1) throw error;
      tasks.push({ id, result: 'refused', error: error.message });
    }
  }
  const isAnyRefused = tasks.some(({ error }) => error !== undefined);
  return {
    result: { tasks },
    exitCode: isAnyRefused ? exitCodes.someFailed.code : exitCodes.ok.code,
    render(output) {
      for (const { id, result, error } of tasks) {
        if (error === undefined) output.summary(`Task ${id}: ${result}`, { taskId: id });
        else output.warn(error, { taskId: id });
      }
      if (tasks.length === 0) output.summary('No task matches.');
    },
  };
}
