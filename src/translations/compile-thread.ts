import { parentPort, workerData } from 'node:worker_threads';
import { TendError, toError } from '../errors.ts';
import { loadMoParser } from './compare-with-gettext-parser.ts';
import type { ThreadMessage, ThreadWork } from './compile-in-thread.ts';
import { prepareCatalog } from './prepare-catalog.ts';

// The program of the thread that compile-in-thread.ts starts, which gives it this and nothing else.
const { catalogs, next, options } = workerData as ThreadWork;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
const say = (message: ThreadMessage) => parentPort?.postMessage(message);

try {
  const parse = await loadMoParser();
  for (;;) {
    const index = Atomics.add(next, 0, 1);
    const catalog = catalogs[index];
    if (catalog === undefined) break;
    say({ index, prepared: prepareCatalog(catalog, { ...options, parse }) });
  }
} catch (error) {
  const { message } = toError(error);
  const isKnown = error instanceof TendError;
  say({
    failure: { code: isKnown ? error.code : 'BUG', message, isPermanent: isKnown && error.isPermanent },
  });
}
