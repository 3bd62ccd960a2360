import type { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { toError } from '../errors.ts';
import { DirectFile } from './direct-file.ts';
import { DirectPipe } from './direct-pipe.ts';
import { OutputTail } from './output-tail.ts';
import type { RunToolOptions } from './run-tool.ts';
import type { SupervisedChild } from './spawn-supervised.ts';
import type { StopReason } from './tool-limits.ts';

export interface CollectedOutput {
  tail: OutputTail;
  isStreamed: boolean;
  /** Resolves when both outputs were read to their end (and written to where they go); never rejects. */
  ended: Promise<void>;
  /** The same for the reports of a program that makes some. */
  reported: Promise<void>;
  captured(): string;
  /** The stream stdout was sent to was closed before everything was written to it. */
  isCut(): boolean;
  close(): void;
}

/** Reads both outputs of a child as they come: into the tail, the capture, the log, or a stream; and its reports. */
export function collectOutput(input: {
  child: SupervisedChild;
  options: RunToolOptions;
  onOutput: () => void;
  /** The stream stdout is sent to failed (a full disk), or a report was refused. */
  onFailure: (reason: StopReason) => void;
}): CollectedOutput {
  const { child, options, onOutput, onFailure } = input;
  const tail = new OutputTail();
  const capture = new OutputTail(options.captureLimitBytes ?? 16 * 1024 * 1024);
  let isCut = false;
  const watch = (stream: Readable, write: (chunk: Buffer) => void) => {
    stream.on('data', (chunk: Buffer) => {
      onOutput();
      write(chunk);
    });
    return finished(stream, { writable: false }).catch(() => undefined);
  };

  const logLines = lineSplitter((line) => options.log?.debug(line));
  const errors = watch(child.stderr, (chunk) => {
    tail.write(chunk);
    logLines.write(chunk);
  }).then(() => logLines.end());
  const { reports } = child;
  const report = (chunk: Buffer) => {
    try {
      options.onReport?.(chunk);
    } catch (thrown) {
      onFailure({ kind: 'report-refused', error: toError(thrown) });
    }
  };
  const reported = reports && watch(reports, report);
  const target = options.stdout ?? 'tail';
  const { stdout } = child;
  let main: Promise<unknown> | undefined;
  if (stdout === undefined || target instanceof DirectPipe || target instanceof DirectFile) {
    // It does not come by here: another program tells of progress, or the file grows.
  } else if (typeof target === 'string') {
    main = watch(stdout, (chunk) => {
      tail.write(chunk);
      if (target === 'capture') capture.write(chunk);
    });
  } else {
    stdout.on('data', onOutput);
    main = pipeline(stdout, target).catch((thrown: unknown) => {
      const error = toError(thrown);
      isCut = 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
      if (!isCut) onFailure({ kind: 'output-failed', error });
    });
  }
  return {
    tail,
    isStreamed: typeof target !== 'string',
    ended: Promise.all([main, errors]).then(() => undefined),
    reported: Promise.resolve(reported),
    captured: () => (target === 'capture' ? capture.text() : ''),
    isCut: () => isCut,
    close() {
      stdout?.destroy();
      child.stderr.destroy();
      child.reports?.destroy();
    },
  };
}

function lineSplitter(onLine: (line: string) => void): { write(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return {
    write(chunk) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = (lines.pop() ?? '').slice(-8192);
      for (const line of lines) onLine(line);
    },
    end() {
      rest += decoder.end();
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
}
