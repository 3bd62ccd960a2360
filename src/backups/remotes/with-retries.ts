import { setTimeout as sleep } from 'node:timers/promises';
import { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { RemoteStore } from './remote-store.ts';

/** Tries `work` again, after a while, as long as the remote cannot be reached and tries are left. */
export async function withRetries<T>(
  { store, log }: { store: RemoteStore; log: Log },
  work: () => Promise<T>,
): Promise<T> {
  for (const delayMs of store.retryDelaysMs) {
    try {
      return await work();
    } catch (error) {
      if (!isWorthAnotherTry(error)) throw error;
      log.warn(`${error.message} Trying again in ${Math.ceil(delayMs / 1000)} s.`);
      await sleep(delayMs, undefined, { signal: store.signal }).catch(() => store.signal.throwIfAborted());
    }
  }
  return await work();
}

/** Another try may succeed without anybody doing anything. */
export function isWorthAnotherTry(error: unknown): error is TendError {
  return error instanceof TendError && error.code === 'REMOTE_UNREACHABLE' && !error.isPermanent;
}
