import { listUploads } from './s3-list.ts';
import { keyOf } from './s3-place.ts';
import type { S3Work } from './s3-store.ts';

/** Removes objects one after the other, in this order, then gives up what was begun to be uploaded for the set. */
export async function removeS3Files(work: S3Work, id: string, files: readonly string[]): Promise<void> {
  const { client, place, signal } = work;
  const { DeleteObjectCommand } = await import('@aws-sdk/client-s3');
  for (const file of files) {
    const request = new DeleteObjectCommand({ Bucket: place.bucket, Key: keyOf(place, id, file) });
    await client.send(request, { abortSignal: signal });
  }
  for (const { Key, UploadId } of (await listUploads(work, `${place.prefix}${id}/`)) ?? []) {
    if (Key !== undefined && UploadId !== undefined) await giveUp(work, Key, UploadId);
  }
}

/** Frees what the parts of an upload take. */
export async function giveUp(
  { client, place, signal }: S3Work,
  key: string,
  uploadId: string,
): Promise<void> {
  const { AbortMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  const request = new AbortMultipartUploadCommand({ Bucket: place.bucket, Key: key, UploadId: uploadId });
  await client.send(request, { abortSignal: signal });
}
