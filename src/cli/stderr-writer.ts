import type { OutputStream } from './process-host.ts';

/** Whole lines for stderr that wait while a live display owns the terminal. */
export interface StderrWriter {
  write(line: string): void;
  hold(): void;
  release(): void;
}

export function createStderrWriter(stream: OutputStream): StderrWriter {
  let held: string[] | undefined;
  return {
    write(line) {
      if (held === undefined) stream.write(`${line}\n`);
      else held.push(line);
    },
    hold() {
      held ??= [];
    },
    release() {
      const lines = held ?? [];
      held = undefined;
      for (const line of lines) stream.write(`${line}\n`);
    },
  };
}
