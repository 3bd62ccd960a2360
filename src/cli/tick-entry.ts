import { systemHost } from './process-host.ts';
import { runBody } from './run-body.ts';
import { tickBody } from './tick-body.ts';
import { parseTickFlags } from './tick-flags.ts';

/**
 * The tick as cron calls it every minute: the same body as the command `run-due-tasks`, without loading the command
 * framework. Returns the exit code, or undefined for a command line it leaves to the framework.
 */
export async function runTick(argv: readonly string[]): Promise<number | undefined> {
  const flags = parseTickFlags(argv);
  if (flags === undefined) return undefined;
  const { global, tick } = flags;
  const isTrial = tick.isDryRun || tick.taskId !== undefined;
  return await runBody(
    { commandId: 'run-due-tasks', flags: global, host: systemHost(), isTrial },
    tickBody(tick),
  );
}
