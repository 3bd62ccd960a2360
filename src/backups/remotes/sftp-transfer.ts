import { createReadStream } from 'node:fs';
import type { SftpSession } from './sftp-session.ts';

/** OpenSSH takes at most 256 KiB in a packet, headers included. */
const pieceBytes = 128 * 1024;
/** Requests on their way at once: on a line of 50 ms, one at a time would make 2.5 MB/s at best. */
const window = 32;

/** What may be missing before the end of a file whose upload was cut off: nobody orders what is on its way. */
export const windowBytes = pieceBytes * window;

/** A file that is open on the server. */
export interface SftpHandle {
  session: SftpSession;
  handle: Buffer;
}

/** Writes the file `source` from byte `start` on to the same place there; `report` is told the position. */
export async function writeFrom(
  { session, handle }: SftpHandle,
  { source, start, report }: { source: string; start: number; report: (bytes: number) => void },
): Promise<void> {
  const onTheWay = new Set<Promise<void>>();
  let position = start;
  let written = start;
  for await (const piece of createReadStream(source, { start, highWaterMark: pieceBytes })) {
    const data = piece as Buffer; // a stream without an encoding
    const at = position;
    position += data.length;
    const request = session
      .ask<void>((sftp, answer) => sftp.write(handle, data, 0, data.length, at, (error) => answer(error)))
      .then(() => report((written += data.length)))
      .finally(() => onTheWay.delete(request));
    request.catch(() => undefined);
    onTheWay.add(request);
    if (onTheWay.size >= window) await Promise.race(onTheWay);
  }
  await Promise.all(onTheWay);
}

/** The bytes from `offset` to `size`, in order, several requests ahead of the reader. */
export async function* readFrom(
  file: SftpHandle,
  { offset, size }: { offset: number; size: number },
): AsyncGenerator<Buffer> {
  const ahead: Promise<Buffer>[] = [];
  let next = offset;
  while (next < size || ahead.length > 0) {
    while (next < size && ahead.length < window) {
      const piece = readPiece(file, next, Math.min(pieceBytes, size - next));
      piece.catch(() => undefined);
      ahead.push(piece);
      next += pieceBytes;
    }
    const first = await ahead.shift();
    if (first !== undefined) yield first;
  }
}

async function readPiece({ session, handle }: SftpHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let filled = 0; filled < length; ) {
    const count = await session.ask<number>((sftp, answer) =>
      sftp.read(handle, buffer, filled, length - filled, position + filled, answer),
    );
    if (count === 0) throw new Error('the file ends before its size');
    filled += count;
  }
  return buffer;
}
