import type { MultipartUpload } from '@aws-sdk/client-s3';
import { isBackupId, isStranger } from '../sets/backup-id.ts';
import type { RemoteFile } from './remote-store.ts';
import { isUnavailable } from './s3-errors.ts';
import { placeOfKey } from './s3-place.ts';
import type { S3Work } from './s3-store.ts';

/** The objects of one set, or of all, and what uploads have begun and not finished. */
export async function listS3Files(work: S3Work, id?: string): Promise<RemoteFile[]> {
  const { client, place, signal } = work;
  const { paginateListObjectsV2 } = await import('@aws-sdk/client-s3');
  const Prefix = id === undefined ? place.prefix : `${place.prefix}${id}/`;
  const found: RemoteFile[] = [];
  const pages = paginateListObjectsV2({ client }, { Bucket: place.bucket, Prefix }, { abortSignal: signal });
  for await (const { Contents = [] } of pages) {
    for (const { Key, Size = 0, LastModified = new Date(0) } of Contents) {
      const where = placeOfKey(place, Key);
      if (where === undefined || !isBackupId(where.id)) continue;
      found.push({ ...where, bytes: Size, modifiedAt: LastModified, state: 'whole' });
    }
  }
  if (id !== undefined) return found;
  const begun = (await listUploads(work, place.prefix)) ?? [];
  return [...found, ...begun.flatMap((upload) => unfinished(work, upload))];
}

/** Names of objects and folders at the level of the sets that are not named like one. */
export async function listS3Strangers({ client, place, signal }: S3Work): Promise<string[]> {
  const { paginateListObjectsV2 } = await import('@aws-sdk/client-s3');
  const request = { Bucket: place.bucket, Prefix: place.prefix, Delimiter: '/' };
  const names: string[] = [];
  for await (const { Contents = [], CommonPrefixes = [] } of paginateListObjectsV2({ client }, request, {
    abortSignal: signal,
  })) {
    const keys = [...CommonPrefixes.map(({ Prefix }) => Prefix), ...Contents.map(({ Key }) => Key)];
    names.push(...keys.map((key = '') => key.slice(place.prefix.length).replace(/\/$/, '')));
  }
  return names.filter((name) => name !== '' && isStranger(name));
}

/** Multipart uploads under a prefix that are neither completed nor given up; undefined where the server cannot tell. */
export async function listUploads(
  { client, place, signal }: S3Work,
  prefix: string,
): Promise<MultipartUpload[] | undefined> {
  const { ListMultipartUploadsCommand } = await import('@aws-sdk/client-s3');
  const found: MultipartUpload[] = [];
  let markers = {};
  try {
    for (;;) {
      const request = new ListMultipartUploadsCommand({ Bucket: place.bucket, Prefix: prefix, ...markers });
      const page = await client.send(request, { abortSignal: signal });
      found.push(...(page.Uploads ?? []));
      if (page.IsTruncated !== true) return found;
      markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    return undefined;
  }
}

function unfinished({ place }: S3Work, { Key, Initiated = new Date(0) }: MultipartUpload): RemoteFile[] {
  const where = placeOfKey(place, Key);
  if (where === undefined || !isBackupId(where.id)) return [];
  return [{ ...where, bytes: 0, modifiedAt: Initiated, state: 'unfinished' }];
}
