import { once } from 'node:events';
import { type ErrorCode, TendError } from '../errors.ts';
import type { FoundCatalog } from './find-catalogs.ts';
import type { PreparedCatalog, PrepareOptions } from './prepare-catalog.ts';

/** What a thread is given. */
export interface ThreadWork {
  catalogs: readonly FoundCatalog[];
  /** The number of the next catalog that no thread has taken, in memory that all of them share. */
  next: Int32Array;
  options: Omit<PrepareOptions, 'parse'>;
}

/** What a thread says: what became of the catalog of a number, or what ended it. */
export type ThreadMessage =
  | { index: number; prepared: PreparedCatalog }
  | { failure: { code: ErrorCode; message: string; isPermanent: boolean } };

export interface CompileThreadsOptions {
  catalogs: readonly FoundCatalog[];
  options: Omit<PrepareOptions, 'parse'>;
  count: number;
  onDone: (catalog: FoundCatalog, prepared: PreparedCatalog) => void;
  signal: AbortSignal;
}

/** Beside the chunks of the build, or the source itself where the sources run. */
const program = new URL(
  import.meta.url.endsWith('.ts') ? './compile-thread.ts' : '../compile-thread.js',
  import.meta.url,
);

/**
 * New objects may take this much of a thread's memory before those that are no longer needed are removed. Node's own
 * bound lets a thread grow to 200 MiB; a smaller one costs time.
 */
const maxYoungGenerationSizeMb = 24;

/**
 * Prepares catalogs in threads, each of which takes the next from the list. Settles when all threads have ended and
 * all that they have prepared was handed to `onDone`; where one fails or `signal` aborts, the others end after the
 * catalog that they are at.
 *
 * @throws TendError as `prepareCatalog`; the reason of `signal`.
 */
export async function runCompileThreads(given: CompileThreadsOptions): Promise<void> {
  const { catalogs, count, signal } = given;
  const next = new Int32Array(new SharedArrayBuffer(4));
  const stop = () => Atomics.store(next, 0, catalogs.length);
  signal.addEventListener('abort', stop);
  try {
    const threads = Array.from({ length: count }, () =>
      runThread(given, next).catch((error: unknown) => {
        stop();
        throw error;
      }),
    );
    const ended = await Promise.allSettled(threads);
    signal.throwIfAborted();
    for (const end of ended) if (end.status === 'rejected') throw end.reason;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function runThread(
  { catalogs, options, onDone }: CompileThreadsOptions,
  next: Int32Array,
): Promise<void> {
  const { cwd, useFuzzy, onBadMessage, isCheckOnly, isForced, maxDropPercent, known, bounds } = options;
  const work: ThreadWork = {
    ...{ catalogs, next },
    options: { cwd, useFuzzy, onBadMessage, isCheckOnly, isForced, maxDropPercent, known, bounds },
  };
  const { Worker } = await import('node:worker_threads');
  const worker = new Worker(program, { workerData: work, resourceLimits: { maxYoungGenerationSizeMb } });
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
