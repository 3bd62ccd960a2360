import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How much is let through between two sweeps: what it adds to the memory of the process. */
const sweepEveryBytes = 8 * 1024 * 1024;

/**
 * Frees the buffers that nobody reads any more whenever 8 MiB more of them have passed; a sweep takes about a millisecond.
 * V8 goes by the small object in front of each buffer and not by its 64 KiB: left to itself it lets 50 MB and more gather, the
 * more the longer something is read.
 *
 * @returns to be called with the length of each buffer.
 */
export function sweepBuffers(): (passedBytes: number) => void {
  let unswept = 0;
  return (passedBytes) => {
    unswept += passedBytes;
    if (unswept < sweepEveryBytes) return;
    unswept = 0;
    sweepYoung();
  };
}

/** A full collection takes some ten milliseconds. */
const sweepAllEveryBytes = 32 * 1024 * 1024;

/**
 * The same for buffers that are kept for a while, such as messages under way: what has outlived two sweeps of the young is
 * freed by a full one only.
 *
 * @returns to be called with the length of each buffer.
 */
export function sweepKeptBuffers(): (passedBytes: number) => void {
  let unswept = 0;
  return (passedBytes) => {
    unswept += passedBytes;
    if (unswept < sweepAllEveryBytes) return;
    unswept = 0;
    collect ??= exposedCollector();
    collect({ type: 'major' });
  };
}

let collect: ((options: { type: 'minor' | 'major' }) => void) | undefined;

function sweepYoung(): void {
  collect ??= exposedCollector();
  collect({ type: 'minor' });
}

function exposedCollector(): NonNullable<typeof collect> {
  setFlagsFromString('--expose-gc');
  // A context that is made under the flag has the function.
  return runInNewContext('gc') as NonNullable<typeof collect>;
}
