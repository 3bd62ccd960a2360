import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { CompletedPart, MultipartUpload, Part } from '@aws-sdk/client-s3';
import { readExactly } from './read-exactly.ts';
import type { Upload } from './remote-store.ts';
import { isUnavailable } from './s3-errors.ts';
import { listUploads } from './s3-list.ts';
import { giveUp } from './s3-remove.ts';
import type { S3Work } from './s3-store.ts';

const mebibyte = 1024 * 1024;
/** Of all parts that are on their way at once. */
const memoryBytes = 16 * mebibyte;
/** S3 takes at most 10,000 parts. */
const mostParts = 9_000;

/** 8 MiB, or as much as it takes to stay below S3's number of parts: a file of 1 TiB has parts of 117 MiB. */
export function partBytesFor(bytes: number): number {
  return Math.max(8 * mebibyte, Math.ceil(bytes / mostParts / mebibyte) * mebibyte);
}

interface PartsWork extends S3Work {
  key: string;
  upload: Upload;
  handle: FileHandle;
  Metadata: Record<string, string>;
}

/**
 * Uploads a file in parts, a few at a time. Parts that an upload before has left are compared by their MD5 and not sent
 * again. A failure leaves its parts for the next try, unless the server could not list them: then they are given up.
 */
export async function uploadInParts(work: PartsWork): Promise<number> {
  const { key, upload } = work;
  const listed = await listUploads(work, key);
  const begun = (listed ?? []).filter(({ Key }) => Key === key).toSorted(byTime);
  const newest = upload.existing === 'keep' ? begun.at(-1)?.UploadId : undefined;
  const there = newest === undefined ? undefined : await partsOf(work, newest);
  const uploadId = there === undefined || newest === undefined ? await begin(work) : newest;
  try {
    const { sent, parts } = await sendParts(work, uploadId, there ?? new Map());
    await complete(work, uploadId, parts);
    for (const other of begun) if (other.UploadId !== uploadId) await giveUpQuietly(work, other.UploadId);
    return sent;
  } catch (error) {
    if (listed === undefined) await giveUpQuietly(work, uploadId);
    throw error;
  }
}

function byTime(one: MultipartUpload, other: MultipartUpload): number {
  return Number(one.Initiated) - Number(other.Initiated);
}

/** What an upload has left costs money, but spoils nothing; and why it failed is what people need to read. */
async function giveUpQuietly(work: PartsWork, uploadId: string | undefined): Promise<void> {
  if (uploadId === undefined || work.signal.aborted) return;
  await giveUp(work, work.key, uploadId).catch(() => undefined);
}

async function begin({ client, place, key, Metadata, signal }: PartsWork): Promise<string> {
  const { CreateMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  const request = new CreateMultipartUploadCommand({ Bucket: place.bucket, Key: key, Metadata });
  const { UploadId = '' } = await client.send(request, { abortSignal: signal });
  return UploadId;
}

/** The parts that are there, by number; undefined where the server cannot tell. */
async function partsOf(work: PartsWork, uploadId: string): Promise<Map<number, Part> | undefined> {
  const { client, place, key, signal } = work;
  const { paginateListParts } = await import('@aws-sdk/client-s3');
  const parts = new Map<number, Part>();
  try {
    const request = { Bucket: place.bucket, Key: key, UploadId: uploadId };
    for await (const page of paginateListParts({ client }, request, { abortSignal: signal })) {
      for (const part of page.Parts ?? []) parts.set(part.PartNumber ?? 0, part);
    }
    return parts;
  } catch (error) {
    if (isUnavailable(error)) return undefined;
    throw error;
  }
}

async function sendParts(
  work: PartsWork,
  uploadId: string,
  there: ReadonlyMap<number, Part>,
): Promise<{ sent: number; parts: CompletedPart[] }> {
  const { upload } = work;
  const partBytes = partBytesFor(upload.bytes);
  const count = Math.ceil(upload.bytes / partBytes);
  const parts: CompletedPart[] = [];
  let next = 1;
  let sent = 0;
  let done = 0;
  let isFailed = false;
  const worker = async (): Promise<void> => {
    const buffer = Buffer.alloc(partBytes);
    while (next <= count && !isFailed) {
      const number = next;
      next += 1;
      const start = (number - 1) * partBytes;
      const body = buffer.subarray(0, Math.min(partBytes, upload.bytes - start));
      try {
        await readExactly(work.handle, body, start);
        const md5 = createHash('md5').update(body);
        const kept = there.get(number);
        const isSame = kept?.Size === body.length && unquoted(kept.ETag) === md5.copy().digest('hex');
        const ETag = isSame ? kept.ETag : await sendPart(work, uploadId, number, body, md5.digest('base64'));
        if (!isSame) sent += body.length;
        parts.push({ PartNumber: number, ETag });
        upload.report?.((done += body.length));
      } catch (error) {
        isFailed = true;
        throw error;
      }
    }
  };
  const workers = Math.max(1, Math.floor(memoryBytes / partBytes));
  const results = await Promise.allSettled(Array.from({ length: workers }, worker));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return { sent, parts: parts.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0)) };
}

async function sendPart(
  { client, place, key, signal }: PartsWork,
  uploadId: string,
  number: number,
  body: Buffer,
  md5: string,
): Promise<string | undefined> {
  const { UploadPartCommand } = await import('@aws-sdk/client-s3');
  const request = new UploadPartCommand({
    Bucket: place.bucket,
    Key: key,
    UploadId: uploadId,
    PartNumber: number,
    Body: body,
    ContentMD5: md5,
  });
  return (await client.send(request, { abortSignal: signal })).ETag;
}

async function complete(work: PartsWork, uploadId: string, parts: CompletedPart[]): Promise<void> {
  const { client, place, key, signal } = work;
  const { CompleteMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  const request = new CompleteMultipartUploadCommand({
    Bucket: place.bucket,
    Key: key,
    UploadId: uploadId,
    MultipartUpload: { Parts: parts },
  });
  await client.send(request, { abortSignal: signal });
}

function unquoted(text: string | undefined): string | undefined {
  return text?.replaceAll('"', '');
}
