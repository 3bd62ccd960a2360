import type { S3Remote } from '../../config/backup-remotes.ts';
import type { RemotePlace } from './remote-errors.ts';

/** Where the sets lie in a bucket. */
export interface S3Place extends RemotePlace {
  bucket: string;
  /** Before the id of a set: empty, or ends with a slash. */
  prefix: string;
}

export function s3Place(name: string, { bucket, prefix, endpoint }: S3Remote): S3Place {
  const where = [...(endpoint === undefined ? [] : [endpoint.replace(/^https?:\/\/|\/$/g, '')]), bucket];
  return {
    name,
    bucket,
    prefix: prefix === undefined ? '' : `${prefix}/`,
    address: `s3://${[...where, ...(prefix === undefined ? [] : [prefix])].join('/')}`,
  };
}

export function keyOf({ prefix }: S3Place, id: string, file: string): string {
  return `${prefix}${id}/${file}`;
}

/** The set and the file that a key means, or undefined where it is none of ours. */
export function placeOfKey(
  { prefix }: S3Place,
  key: string | undefined,
): { id: string; file: string } | undefined {
  if (key?.startsWith(prefix) !== true) return undefined;
  const [id, file, ...more] = key.slice(prefix.length).split('/');
  return id === undefined || file === undefined || file === '' || more.length > 0 ? undefined : { id, file };
}
