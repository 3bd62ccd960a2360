import { formatDuration } from '../duration.ts';
import type { Progress } from '../log.ts';
import type { SecretRegistry } from '../redact.ts';
import type { GlobalFlags } from './global-flags.ts';
import type { MessageWriter } from './message-writer.ts';
import type { ProcessHost } from './process-host.ts';
import type { StepLog } from './step-log.ts';

export interface CreateProgressOptions {
  host: ProcessHost;
  flags: GlobalFlags;
  secrets: SecretRegistry;
  log: StepLog;
  writer: MessageWriter;
}

/**
 * Shows steps live on a terminal, through listr2, which is loaded at the first step; everywhere else they are lines
 * of the log, which is silent on success. What is done is the same in both cases. A step inside a step, or beside
 * it, becomes a detail of the one that is shown.
 */
export function createProgress({ host, flags, secrets, log, writer }: CreateProgressOptions): Progress {
  const isLive = (): boolean =>
    canDraw(host) && !flags.quiet && flags.verbosity === 0 && writer.format === 'text';
  let current: { report: (detail: string) => void } | undefined;

  return {
    async step(title, work) {
      if (current !== undefined) {
        current.report(title);
        return await logStep({ title, work, log, host });
      }
      if (!isLive()) return await logStep({ title, work, log, host });
      const shown = { report: (_detail: string): void => {} };
      current = shown;
      writer.hold();
      try {
        return await liveStep({ title: secrets.redact(title), work, secrets, host, shown });
      } finally {
        current = undefined;
        writer.release();
      }
    },
  };
}

/** A terminal without a width (a CI's pseudo-terminal) is one that listr2 draws one letter a line on. */
function canDraw({ stderr, env }: ProcessHost): boolean {
  return stderr.isTTY === true && env.TERM !== 'dumb' && (stderr.columns ?? 0) >= 20;
}

type Work<T> = (report: (detail: string) => void) => Promise<T>;

async function logStep<T>({
  title,
  work,
  log,
  host,
}: {
  title: string;
  work: Work<T>;
  log: StepLog;
  host: ProcessHost;
}): Promise<T> {
  const startedMs = host.clock.monotonicMs();
  log.info(title);
  try {
    return await work((detail) => log.debug(`${title}: ${detail}`));
  } catch (error) {
    const durationMs = Math.round(host.clock.monotonicMs() - startedMs);
    log.info(`${title}: failed after ${formatDuration(durationMs)}`, { durationMs });
    throw error;
  }
}

/** One step on the terminal. listr2 would end the process on SIGINT by itself (exit code 127): it must not listen. */
async function liveStep<T>({
  title,
  work,
  secrets,
  host,
  shown,
}: {
  title: string;
  work: Work<T>;
  secrets: SecretRegistry;
  host: ProcessHost;
  shown: { report: (detail: string) => void };
}): Promise<T> {
  const { DefaultRenderer, Listr, ListrLogger, ProcessOutput } = await import('listr2');
  // listr2 looks at stdout; steps go to stderr, and whether that is a terminal was asked already
  class StderrRenderer extends DefaultRenderer {
    static override nonTTY = true;
  }
  // a live display exists only on a real terminal: host.stderr is process.stderr then
  const terminal = host.stderr as NodeJS.WriteStream;
  const logger = new ListrLogger({
    processOutput: new ProcessOutput(terminal, terminal, { leaveEmptyLine: false }),
  });
  let result: { value: T } | undefined;
  const steps = new Listr(
    [
      {
        title,
        task: async (_context, step) => {
          shown.report = (detail) => {
            step.output = secrets.redact(detail);
          };
          result = { value: await work(shown.report) };
        },
      },
    ],
    {
      renderer: StderrRenderer,
      rendererOptions: { logger, collapseErrors: false },
      registerSignalListeners: false,
    },
  );
  await steps.run();
  if (result === undefined) throw new Error(`The step "${title}" ended without a result`);
  return result.value;
}
