import { Writable } from 'node:stream';

/** Takes what is read only to see whether it can be. */
export function toNowhere(): Writable {
  return new Writable({ highWaterMark: 1024 * 1024, write: (_chunk, _encoding, done) => done() });
}
