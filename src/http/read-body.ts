import type { IncomingMessage } from 'node:http';
import { TendError } from '../errors.ts';
import { OutputTail } from '../processes/output-tail.ts';

/** What is kept of an answer; memory does not grow with its length. */
export interface ReadBody {
  bytes: number;
  /** At most the first 64 KiB. */
  beginning: string;
  /** At most the last 16 KiB; undefined where it is no text: compressed all the same, or binary. */
  tail: string | undefined;
}

const beginningBytes = 64 * 1024;
const tailBytes = 16 * 1024;

/**
 * Reads an answer to its end.
 *
 * @throws TendError HTTP_RESPONSE_TOO_LARGE, permanent, as soon as it is longer than `limitBytes`; what the stream
 *   throws when it ends early.
 */
export async function readBody(
  response: IncomingMessage,
  limitBytes = Number.POSITIVE_INFINITY,
): Promise<ReadBody> {
  const tail = new OutputTail(tailBytes);
  const beginning: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    // No encoding is set on the stream, so its chunks are buffers.
    if (bytes < beginningBytes) beginning.push(Buffer.from(chunk.subarray(0, beginningBytes - bytes)));
    bytes += chunk.length;
    tail.write(chunk);
    if (bytes > limitBytes) throw tooLarge(limitBytes);
  }
  const text = tail.text();
  const encoding = response.headers['content-encoding'] ?? 'identity';
  const isText = encoding.trim().toLowerCase() === 'identity' && !text.includes('\0');
  return {
    bytes,
    beginning: isText ? Buffer.concat(beginning).toString('utf8') : '',
    tail: isText ? text : undefined,
  };
}

function tooLarge(limitBytes: number): TendError {
  return new TendError(
    'HTTP_RESPONSE_TOO_LARGE',
    `The answer is longer than the ${limitBytes} bytes of maxResponseBytes.`,
    { isPermanent: true },
  );
}
