import { type ErrorCode, TendError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ProcessHost } from './process-host.ts';

const handled = {
  SIGINT: {
    code: 'INTERRUPTED',
    exitCode: exitCodes.interrupted.code,
    message: 'Stopped by SIGINT (Ctrl-C)',
  },
  SIGHUP: {
    code: 'HUNG_UP',
    exitCode: exitCodes.hungUp.code,
    message: 'Stopped by SIGHUP (terminal closed)',
  },
  SIGTERM: { code: 'TERMINATED', exitCode: exitCodes.terminated.code, message: 'Stopped by SIGTERM' },
} as const satisfies Record<string, { code: ErrorCode; exitCode: number; message: string }>;

/** Signals turned into one `AbortSignal`, from the start of a command to its end. */
export interface SignalListener extends Disposable {
  readonly signal: AbortSignal;
  /** What the first signal aborted with; undefined while none came. */
  readonly stopped: TendError | undefined;
}

/**
 * The first SIGINT, SIGTERM or SIGHUP aborts, and the command winds up in its own time; a second SIGINT or
 * SIGTERM ends the process at once with 130 or 143. Node gives SIGHUP its default at start, also under nohup(1): left alone it would kill.
 */
export function listenForSignals(host: ProcessHost): SignalListener {
  const controller = new AbortController();
  let stopped: TendError | undefined;
  const listeners = Object.entries(handled).map(([name, { code, exitCode, message }]) => {
    const onSignal = (): void => {
      // A closing terminal may send it twice: the shell does, and the kernel.
      if (stopped !== undefined && name === 'SIGHUP') return;
      if (stopped !== undefined) return host.exit(exitCode);
      stopped = new TendError(code, message);
      controller.abort(stopped);
    };
    host.events.on(name, onSignal);
    return { name, onSignal };
  });
  return {
    signal: controller.signal,
    get stopped() {
      return stopped;
    },
    [Symbol.dispose]() {
      for (const { name, onSignal } of listeners) host.events.off(name, onSignal);
    },
  };
}
