import * as v from 'valibot';
import { keepSettings } from './keep-settings.ts';
import { text } from './setting-types.ts';

const optionalText = v.optional(text);

/** Only a reference: what opens the place of the copies does not stand in a file that is itself copied around. */
const secret = v.optional(
  v.pipe(
    text,
    v.regex(/^env:[A-Za-z_][A-Za-z0-9_]*$/, 'a secret is given by the environment: "env:NAME" was expected'),
  ),
);

const port = 'a whole number from 1 to 65535 was expected';
const verification = ['read', 'size'] as const;

const common = {
  type: v.picklist(['s3', 'sftp'], 'one of "s3", "sftp" was expected'),
  /** `read`: what was stored is read back and its SHA-256 compared; `size`: only its size. */
  verify_upload: v.optional(v.picklist(verification, 'one of "read", "size" was expected'), 'read'),
  /** Which of the sets there stay; as `[backup] keep` says unless set. An empty table leaves them all. */
  keep: v.optional(keepSettings),
};

const s3Keys = {
  bucket: optionalText,
  prefix: v.optional(
    v.pipe(text, v.regex(/^[^/](.*[^/])?$/s, 'a prefix without "/" at its beginning and end was expected')),
  ),
  endpoint: v.optional(
    v.pipe(
      text,
      v.regex(/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/, 'a URL such as "https://s3.example.org" was expected'),
    ),
  ),
  region: optionalText,
  access_key_id: optionalText,
  secret_access_key: secret,
};

const sftpKeys = {
  host: v.optional(v.pipe(text, v.regex(/^[^\s/@]+$/, 'the name or address of a host was expected'))),
  port: v.optional(v.pipe(v.number(port), v.integer(port), v.minValue(1, port), v.maxValue(65_535, port))),
  /** Unless set, the name of the account that runs tend, as ssh has it. */
  user: optionalText,
  path: optionalText,
  key: optionalText,
  key_passphrase: secret,
  password: secret,
  known_hosts: optionalText,
};

const remoteKeys = v.strictObject({ ...common, ...s3Keys, ...sftpKeys }, (issue) =>
  issue.expected === 'never' ? 'this key is not known' : 'a table was expected',
);
type RemoteKeys = v.InferOutput<typeof remoteKeys>;

type Common = Pick<RemoteKeys, 'verify_upload' | 'keep'>;
type WithRequired<T, K extends keyof T> = T & { [key in K]-?: NonNullable<T[key]> };

/** A bucket of S3, or of what speaks its protocol. */
export type S3Remote = { type: 's3' } & Common &
  WithRequired<Pick<RemoteKeys, keyof typeof s3Keys>, 'bucket'>;
/** A directory on a server that speaks SFTP. */
export type SftpRemote = { type: 'sftp'; port: number } & Common &
  WithRequired<Pick<RemoteKeys, keyof typeof sftpKeys>, 'host' | 'path' | 'port'>;
export type RemoteSettings = S3Remote | SftpRemote;

const needed = { s3: ['bucket'], sftp: ['host', 'path'] } as const;
const others = { s3: Object.keys(sftpKeys), sftp: Object.keys(s3Keys) };

/** One table for both types, so that a key of the other type is named as such and each has a line in the file. */
const remote = v.pipe(
  remoteKeys,
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const keys = dataset.value;
    const { type } = keys;
    let isGood = true;
    const refuse = (key: string, value: unknown, message: string) => {
      isGood = false;
      addIssue({
        message,
        input: value,
        path: [{ type: 'object', origin: 'value', input: { ...keys }, key, value }],
      });
    };
    for (const [key, value] of Object.entries(keys)) {
      if (others[type].includes(key))
        refuse(key, value, `this key does not belong to a remote of type "${type}"`);
    }
    for (const key of needed[type])
      if (keys[key] === undefined) refuse(key, undefined, 'this key is missing');
    if (type === 's3' && (keys.access_key_id === undefined) !== (keys.secret_access_key === undefined)) {
      refuse(
        'access_key_id',
        keys,
        'one of "access_key_id" and "secret_access_key" is given without the other',
      );
    }
    if (type === 'sftp' && keys.key === undefined && keys.password === undefined) {
      refuse('key', undefined, 'this key is missing');
    }
    if (!isGood) return NEVER;
    // The keys that the type needs are there, as was just checked.
    return (type === 'sftp' ? { port: 22, ...keys } : keys) as RemoteSettings;
  }),
);

/** `[backup.remotes.NAME]`. The name stands before a colon in `restore NAME:ID`. */
export const backupRemotes = v.record(
  v.pipe(
    text,
    v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'a remote is named with A-Z, a-z, 0-9, "_", "-", at most 63'),
  ),
  remote,
);
