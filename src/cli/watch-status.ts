import { setTimeout as sleep } from 'node:timers/promises';
import { TendError, toError } from '../errors.ts';
import type { Status } from '../report/find-status.ts';
import type { Output } from './output.ts';
import { printStatus } from './print-status.ts';

export interface WatchStatusOptions {
  look: () => Promise<Status>;
  output: Output;
  signal: AbortSignal;
  /** From the end of one look to the next: longer than a database session lives idle, so that none is held meanwhile. */
  pauseMs?: number;
}

/** Cursor to the corner, and everything from there on removed. */
const clear = '\u001b[H\u001b[J';

/**
 * Draws the status anew until a signal comes. A look that fails is shown in its place, and the next one is taken: whoever
 * watches a restart wants to see its end. Throws USAGE where there is no terminal.
 */
export async function watchStatus({
  look,
  output,
  signal,
  pauseMs = 2000,
}: WatchStatusOptions): Promise<void> {
  if (!output.isTerminal)
    throw new TendError('USAGE', 'Nothing can be redrawn: the output of --watch is no terminal', {
      hint: 'Without a terminal: tend status, or tend status --json',
    });
  while (!signal.aborted) {
    const shown = await look().then(
      (status) => () => printStatus(status, output),
      (error: unknown) => () => output.print(`No look was possible: ${toError(error).message}`),
    );
    if (signal.aborted) return;
    output.print(clear);
    shown();
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined); // the signal ends the loop
  }
}
