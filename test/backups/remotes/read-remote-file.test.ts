import { expect, test } from 'vitest';
import { readRemoteFile } from '../../../src/backups/remotes/read-remote-file.ts';
import type { RemoteConnection, RemoteStore } from '../../../src/backups/remotes/remote-store.ts';

const mebibyte = 1024 * 1024;
const chunkBytes = 64 * 1024;
const bytes = 256 * mebibyte;

/** Gives every chunk as a buffer of its own, as the network does. */
async function* chunks(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes; at += chunkBytes) yield await Promise.resolve(Buffer.alloc(chunkBytes));
}

test('a long file is read without letting its buffers gather', async () => {
  const unused = async () => await Promise.reject(new Error('not part of reading'));
  const connection: RemoteConnection = {
    ...{ read: chunks, list: unused, listStrangers: unused, put: unused, remove: unused },
    [Symbol.asyncDispose]: async () => await Promise.resolve(),
  };
  const store: RemoteStore = {
    ...{ name: 'offsite', address: 'test://', retryDelaysMs: [], verifyUpload: 'read' },
    signal: new AbortController().signal,
    connect: async () => await Promise.resolve(connection),
  };
  const before = process.memoryUsage().arrayBuffers;
  let read = 0;
  let most = 0;
  for await (const chunk of readRemoteFile(store, { id: 'a', file: 'b', bytes })) {
    read += (chunk as Buffer).length; // a stream of bytes
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(read).toBe(bytes);
  // Left to itself V8 holds more than 80; what a minor collection has promoted stays until the next major one.
  expect(most).toBeLessThan(56 * mebibyte);
});
