import { TendError } from '../errors.ts';
import type { ProcessHost } from './process-host.ts';

/** What became of the output of a command. */
export interface StreamWatch {
  /** Whether stdout could not be written, once the writes so far have had their answer. */
  isOutputLost(): Promise<boolean>;
}

/**
 * Listens for errors of stdout and stderr, which would end the process with a stack trace. A reader that has seen
 * enough (`| head`) is no failure. Another error of stdout (a full disk) is reported, once; one of stderr cannot be.
 */
export function watchStreams(
  { stdout, stderr }: Pick<ProcessHost, 'stdout' | 'stderr'>,
  report: (error: TendError) => void,
): StreamWatch {
  let isLost = false;
  // oclif's own listener throws what is not EPIPE, which would be taken for a crash
  stdout.removeAllListeners?.('error');
  stderr.removeAllListeners?.('error');
  stdout.on('error', (error) => {
    if (error.code === 'EPIPE' || isLost) return;
    isLost = true;
    report(
      new TendError('OUTPUT_UNWRITABLE', `The output cannot be written: ${error.message}`, { cause: error }),
    );
  });
  stderr.on('error', () => {});
  return {
    async isOutputLost() {
      // a stream tells its errors after the tick in which it was written to
      await new Promise((resolve) => setImmediate(resolve));
      return isLost;
    },
  };
}
