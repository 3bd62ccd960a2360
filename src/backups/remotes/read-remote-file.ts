import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { sweepBuffers } from '../../sweep-buffers.ts';
import { remoteError } from './remote-errors.ts';
import type { RemoteStore } from './remote-store.ts';
import { isWorthAnotherTry } from './with-retries.ts';

export interface RemoteFilePlace {
  id: string;
  file: string;
  bytes: number;
}

/**
 * The bytes of a file in a remote, in constant memory. Where the connection is cut, it is opened again and reading goes
 * on at the same byte: a restore over hours does not begin anew.
 */
export function readRemoteFile(store: RemoteStore, place: RemoteFilePlace): Readable {
  const stop = new AbortController();
  const stream = Readable.from(read(store, place, stop.signal), {
    objectMode: false,
    highWaterMark: 1024 * 1024,
  });
  // A stream that is closed early must not wait for a network that stands still.
  stream.once('close', () => stop.abort());
  return stream;
}

async function* read(
  store: RemoteStore,
  { id, file, bytes }: RemoteFilePlace,
  stop: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const signal = AbortSignal.any([store.signal, stop]);
  const sweep = sweepBuffers();
  let delays = store.retryDelaysMs;
  for (let offset = 0; offset < bytes; ) {
    try {
      await using connection = await store.connect(signal);
      for await (const chunk of connection.read({ id, file, offset })) {
        yield chunk;
        offset += chunk.length;
        sweep(chunk.length);
        delays = store.retryDelaysMs;
      }
      if (offset < bytes) throw remoteError('REMOTE_UNREACHABLE', store, `"${id}/${file}" was cut off`);
    } catch (error) {
      signal.throwIfAborted();
      const [delayMs, ...rest] = delays;
      if (delayMs === undefined || !isWorthAnotherTry(error)) throw error;
      delays = rest;
      await sleep(delayMs, undefined, { signal });
    }
  }
}
