import type { Readable } from 'node:stream';
import { keyOf } from './s3-place.ts';
import type { S3Work } from './s3-store.ts';

/** The bytes of an object from `offset` to its end, which must lie behind it. */
export async function readS3File(
  { client, place, signal }: S3Work,
  { id, file, offset }: { id: string; file: string; offset: number },
): Promise<Readable> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const request = new GetObjectCommand({
    Bucket: place.bucket,
    Key: keyOf(place, id, file),
    ...(offset > 0 && { Range: `bytes=${offset}-` }),
  });
  const { Body } = await client.send(request, { abortSignal: signal });
  // In Node the SDK gives the response itself.
  const body = Body as Readable;
  // After the headers have come, the SDK's own signal does not reach the body any more.
  signal.addEventListener('abort', () => body.destroy(), { once: true });
  return body;
}
