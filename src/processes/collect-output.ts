import type { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { OutputTail } from './output-tail.ts';
import type { RunToolOptions } from './run-tool.ts';
import type { SupervisedChild } from './spawn-supervised.ts';

export interface CollectedOutput {
  tail: OutputTail;
  isStreamed: boolean;
  /** Resolves when both outputs were read to their end (and written to where they go); never rejects. */
  ended: Promise<void>;
  captured(): string;
  /** What went wrong at the stream stdout was sent to: a full disk, a consumer that stopped. */
  error(): Error | undefined;
  close(): void;
}

/** Reads both outputs of a child as they come: into the tail, the capture, the log, or a stream. */
export function collectOutput(input: {
  child: SupervisedChild;
  options: RunToolOptions;
  onOutput: () => void;
}): CollectedOutput {
  const { child, options, onOutput } = input;
  const tail = new OutputTail();
  const capture = new OutputTail(options.captureLimitBytes ?? 16 * 1024 * 1024);
  let failure: Error | undefined;
  const watch = (stream: Readable, write: (chunk: Buffer) => void) => {
    stream.on('data', (chunk: Buffer) => {
      onOutput();
      write(chunk);
    });
    return finished(stream, { writable: false }).catch(() => undefined);
  };

  const logLine = lineSplitter((line) => options.log?.debug(line));
  const errors = watch(child.stderr, (chunk) => {
    tail.write(chunk);
    logLine(chunk);
  });
  const target = options.stdout ?? 'tail';
  let main: Promise<unknown>;
  if (typeof target === 'string') {
    main = watch(child.stdout, (chunk) => {
      tail.write(chunk);
      if (target === 'capture') capture.write(chunk);
    });
  } else {
    child.stdout.on('data', onOutput);
    main = pipeline(child.stdout, target).catch((error: Error) => {
      failure = error;
    });
  }
  return {
    tail,
    isStreamed: typeof target !== 'string',
    ended: Promise.all([main, errors]).then(() => undefined),
    captured: () => (target === 'capture' ? capture.text() : ''),
    error: () => failure,
    close() {
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
}

function lineSplitter(onLine: (line: string) => void): (chunk: Buffer) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = (lines.pop() ?? '').slice(-8192);
    for (const line of lines) onLine(line);
  };
}
