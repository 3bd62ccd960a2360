import { resolve } from 'node:path';
import { exitCodes } from '../exit-codes.ts';
import type { CommandContext } from './command-context.ts';
import type { TickFlags } from './tick-flags.ts';

/** Loads nothing where no file is configured. What goes wrong is a warning: the tick has done its work. */
export async function tellTick(context: CommandContext, flags: TickFlags, exitCode: number): Promise<void> {
  const path = metricsPath(context, flags);
  if (path === undefined) return;
  const { writeMetrics } = await import('../monitoring/write-metrics.ts');
  const now = context.clock.now();
  try {
    await writeMetrics({ path, sessions: await context.openSessions(), now, exitCode });
  } catch (error) {
    warnOfMetrics(context, path, error);
    // Where only the queue did not answer, the tick can still be told of.
    await writeMetrics({ path, sessions: undefined, now, exitCode }).catch(() => {});
  }
}

/** The file must not say for ever that all was well: a tick that fails tells so, by its exit code. */
export async function tellFailedTick(
  context: CommandContext,
  flags: TickFlags,
  thrown: unknown,
): Promise<void> {
  const path = metricsPath(context, flags);
  if (path === undefined) return;
  try {
    const [{ writeMetrics }, { translateDatabaseError }] = await Promise.all([
      import('../monitoring/write-metrics.ts'),
      import('../database/translate-database-error.ts'),
    ]);
    const exitCode = translateDatabaseError(thrown)?.exitCode ?? exitCodes.bug.code;
    await writeMetrics({ path, sessions: undefined, now: context.clock.now(), exitCode });
  } catch (error) {
    warnOfMetrics(context, path, error);
  }
}

function warnOfMetrics({ log }: CommandContext, path: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  log.warn(`The metrics file "${path}" was not written: ${reason}`);
}

/** What a run of one task says is nothing about ticks. */
function metricsPath(
  { config, baseDirectory, signal }: CommandContext,
  flags: TickFlags,
): string | undefined {
  const { metrics_file } = config.monitor;
  if (metrics_file === undefined || flags.taskId !== undefined || signal.aborted) return undefined;
  return resolve(baseDirectory, metrics_file);
}
