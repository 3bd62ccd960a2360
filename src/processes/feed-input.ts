import { finished } from 'node:stream/promises';
import { toError } from '../errors.ts';
import { DirectPipe } from './direct-pipe.ts';
import type { RunToolOptions } from './run-tool.ts';
import type { SupervisedChild } from './spawn-supervised.ts';
import type { ToolLimits } from './tool-limits.ts';

/** Gives a program what it is to read; what it takes of a stream is progress, and a stream that breaks stops it. */
export function feedInput(child: SupervisedChild, input: RunToolOptions['input'], limits: ToolLimits): void {
  let isClosed = false;
  const close = () => {
    isClosed = true;
  };
  // A program may close its standard input early (EPIPE); its exit status tells whether that was a failure.
  child.stdin.on('error', close).on('close', close);
  if (input === undefined) child.stdin.end();
  else if (input instanceof DirectPipe) input.attachReader(child.stdin);
  else if (typeof input === 'string' || Buffer.isBuffer(input)) child.stdin.end(input);
  else {
    // The half that arrived must not look like the whole: the program is stopped before it sees the end of it.
    finished(input, { writable: false }).catch((error: unknown) => {
      if (!isClosed) limits.stop({ kind: 'input-failed', error: toError(error) });
    });
    input.pipe(child.stdin);
    input.on('data', limits.noteProgress);
    child.stdin.once('close', () => input.destroy());
  }
}
