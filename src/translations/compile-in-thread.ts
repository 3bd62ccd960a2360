import { once } from 'node:events';
import { type ErrorCode, TendError } from '../errors.ts';
import type { FoundCatalog } from './find-catalogs.ts';
import type { PreparedCatalog, PrepareOptions } from './prepare-catalog.ts';

/** What the thread is given. */
export interface ThreadWork {
  catalogs: readonly FoundCatalog[];
  /** The number of the next catalog, in memory that both threads see: the other one ends the work by raising it. */
  next: Int32Array;
  options: Omit<PrepareOptions, 'parse'>;
}

/** What the thread says: what became of the catalog of a number, or what ended it. */
export type ThreadMessage =
  | { index: number; prepared: PreparedCatalog }
  | { failure: { code: ErrorCode; message: string; isPermanent: boolean } };

export interface CompileInThreadOptions {
  catalogs: readonly FoundCatalog[];
  options: Omit<PrepareOptions, 'parse'>;
  /** Size of the largest of the catalogs. */
  largestBytes: number;
  onDone: (catalog: FoundCatalog, prepared: PreparedCatalog) => void;
  signal: AbortSignal;
}

/** Beside the chunks of the build, or the source itself where the sources run. */
const program = new URL(
  import.meta.url.endsWith('.ts') ? './compile-thread.ts' : '../compile-thread.js',
  import.meta.url,
);

/**
 * New objects may take this much before those that are no longer needed are removed. Left to itself, Node lets them
 * take 200 MiB, and that can be bounded only where a thread is started. Less than this costs much time.
 */
const maxYoungGenerationSizeMb = 48;

/** The rest: what the largest catalog takes at the very most, since a thread that reaches it is ended. */
function maxOldGenerationSizeMb(largestBytes: number): number {
  return 64 + Math.ceil((largestBytes / 1024 / 1024) * 100);
}

/**
 * Prepares catalogs in a thread whose memory is bounded. Settles when it has ended and all that it has prepared was
 * handed to `onDone`; when `signal` aborts, it ends after the catalog that it is at.
 *
 * One thread: two within the same memory took a fifth to a third more CPU, and on a busy machine no less wall. Two with
 * twice the memory halve the wall on idle cores.
 *
 * @throws TendError as `prepareCatalog`; the reason of `signal`.
 */
export async function compileInThread(given: CompileInThreadOptions): Promise<void> {
  const { catalogs, signal } = given;
  const next = new Int32Array(new SharedArrayBuffer(4));
  const stop = () => Atomics.store(next, 0, catalogs.length);
  signal.addEventListener('abort', stop);
  try {
    await runThread(given, next);
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function runThread(
  { catalogs, options, largestBytes, onDone }: CompileInThreadOptions,
  next: Int32Array,
): Promise<void> {
  const { cwd, useFuzzy, onBadMessage, isCheckOnly, isForced, maxDropPercent, known, bounds } = options;
  const work: ThreadWork = {
    ...{ catalogs, next },
    options: { cwd, useFuzzy, onBadMessage, isCheckOnly, isForced, maxDropPercent, known, bounds },
  };
  const { Worker } = await import('node:worker_threads');
  const worker = new Worker(program, {
    workerData: work,
    resourceLimits: {
      maxYoungGenerationSizeMb,
      maxOldGenerationSizeMb: maxOldGenerationSizeMb(largestBytes),
    },
  });
  let failure: TendError | undefined;
  worker.on('message', (message: ThreadMessage) => {
    if ('failure' in message) {
      const { code, message: text, isPermanent } = message.failure;
      failure = new TendError(code, text, { isPermanent });
      return;
    }
    const catalog = catalogs[message.index];
    if (catalog !== undefined) onDone(catalog, message.prepared);
  });
  await once(worker, 'exit');
  if (failure !== undefined) throw failure;
}
