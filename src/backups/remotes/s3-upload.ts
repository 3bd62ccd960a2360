import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { readExactly } from './read-exactly.ts';
import type { Upload } from './remote-store.ts';
import { isUnavailable } from './s3-errors.ts';
import { partBytesFor, uploadInParts } from './s3-parts.ts';
import { keyOf } from './s3-place.ts';
import type { S3Work } from './s3-store.ts';

/** Metadata of the object, `x-amz-meta-…`: what tells that it is the very file. */
const hashName = 'tend-sha256';

/** Stores a file: in one request where it is small, else in parts, which an upload that was cut off has left there. */
export async function putS3File(work: S3Work, upload: Upload): Promise<number> {
  const { place } = work;
  const { id, file, existing, bytes, sha256 } = upload;
  const key = keyOf(place, id, file);
  if (existing === 'keep' && (await isThere(work, key, upload))) {
    upload.report?.(bytes);
    return 0;
  }
  const Metadata = { [hashName]: sha256 };
  await using handle = await open(upload.source, 'r');
  if (bytes > partBytesFor(bytes)) return await uploadInParts({ ...work, key, upload, handle, Metadata });
  const body = Buffer.alloc(bytes);
  await readExactly(handle, body, 0);
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  const ContentMD5 = createHash('md5').update(body).digest('base64');
  const request = { Bucket: place.bucket, Key: key, Body: body, ContentMD5, Metadata };
  await work.client.send(new PutObjectCommand(request), { abortSignal: work.signal });
  upload.report?.(bytes);
  return bytes;
}

async function isThere(
  { client, place, signal }: S3Work,
  key: string,
  { bytes, sha256 }: Upload,
): Promise<boolean> {
  const { HeadObjectCommand } = await import('@aws-sdk/client-s3');
  try {
    const request = new HeadObjectCommand({ Bucket: place.bucket, Key: key });
    const { ContentLength, Metadata } = await client.send(request, { abortSignal: signal });
    return ContentLength === bytes && Metadata?.[hashName] === sha256;
  } catch (error) {
    // 403 is what a key without the right to list gets for an object that is not there.
    if (isUnavailable(error)) return false;
    throw error;
  }
}
