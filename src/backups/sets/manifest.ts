import * as v from 'valibot';
import { TendError } from '../../errors.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const nullableText = v.nullable(v.string());
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
/** A name directly inside the set: a manifest never leads elsewhere. */
const fileName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/));

const part = v.object({
  file: fileName,
  /** `globals`: roles and their memberships, as `pg_dumpall --globals-only` writes them, without passwords. */
  holds: v.picklist(['database', 'files', 'globals']),
  compression: v.picklist(['none', 'zstd']),
  /** After the compression. Sets of before there was encryption do not say. */
  encryption: v.optional(v.picklist(['none', 'age']), 'none'),
  bytes: count,
  uncompressedBytes: count,
  /** Of the file as it lies in the set: compressed, encrypted. */
  sha256,
});

const table = v.object({
  schema: v.string(),
  name: v.string(),
  /** Counted in the dump's own snapshot; null where the time for counting was over. */
  rows: v.nullable(count),
});

/** Sequences are outside of transactions: the value in the dump lies between the one before and the one after it. */
const sequence = v.object({
  schema: v.string(),
  name: v.string(),
  before: nullableText,
  after: nullableText,
});

const namedFiles = v.object({ count, names: v.array(v.string()) });

/** A member of the archive by its whole name: never a way out of where it is unpacked. */
const member = v.pipe(
  v.string(),
  v.regex(/^[^/]+(\/[^/]+)*$/),
  v.check((name) => !name.split('/').some((word) => word === '.' || word === '..'), 'it leads elsewhere'),
);

const files = v.object({
  /** `path` as it was configured, `member` as it is called in the archive; measured just before it was packed. */
  roots: v.array(v.object({ path: v.string(), member, bytes: count, entries: count })),
  unreadable: namedFiles,
  changed: namedFiles,
});

/** When the dump's snapshot was taken: by the server's clock, and by its transaction ids (txid_current_snapshot). */
const snapshot = v.object({
  at: v.pipe(v.string(), v.isoTimestamp()),
  /** No transaction had reached this id. */
  xid: v.pipe(v.string(), v.regex(/^\d+$/)),
  /** How many below it had not ended. */
  underWay: count,
});

const database = v.object({
  name: v.string(),
  serverVersion: v.string(),
  serverMajor: count,
  systemIdentifier: nullableText,
  sizeBytes: count,
  owner: v.string(),
  encoding: v.string(),
  localeProvider: v.picklist(['libc', 'icu', 'builtin']),
  collate: v.string(),
  ctype: v.string(),
  /** ICU locale or builtin locale, and ICU rules, where the provider has them. */
  locale: nullableText,
  icuRules: nullableText,
  connectionLimit: v.number(),
});

/** What `manifest.json` says about a backup set; written last, so that a set without it is none. */
export const manifestSchema = v.object({
  format: v.literal(1, 'this version of tend reads format 1'),
  id: v.string(),
  label: nullableText,
  /** The task that took the set; in the dump itself it is still running. */
  taskId: v.nullable(count),
  host: v.string(),
  startedAt: v.pipe(v.string(), v.isoTimestamp()),
  finishedAt: v.pipe(v.string(), v.isoTimestamp()),
  durationMs: count,
  tools: v.object({ pgDump: v.string(), compressor: v.string(), encryptor: v.optional(v.string(), 'none') }),
  /** Sets of earlier versions have none. */
  snapshot: v.optional(v.nullable(snapshot), null),
  database,
  extensions: v.array(v.object({ name: v.string(), version: v.string() })),
  roles: v.array(v.string()),
  tables: v.array(table),
  sequences: v.array(sequence),
  largeObjects: count,
  /** What is not in the set although it might be, and why; for people. */
  notes: v.optional(v.array(v.string())),
  /** Of the part that holds files, where there is one. */
  files: v.optional(files),
  /** The age recipients that the parts are encrypted to. */
  recipients: v.optional(v.array(v.string()), []),
  parts: v.pipe(v.array(part), v.minLength(1)),
});

export type Manifest = v.InferOutput<typeof manifestSchema>;
export type ManifestPart = Manifest['parts'][number];
export type TableRows = Manifest['tables'][number];
export type SequenceValues = Manifest['sequences'][number];
export type RecordedFiles = NonNullable<Manifest['files']>;
export type DatabaseFacts = Manifest['database'];

/**
 * Reads the text of a manifest.
 *
 * @throws TendError BACKUP_DAMAGED naming the file and the path of the bad field.
 */
export function parseManifest(text: string, path: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw damaged(path, 'it is not JSON', error);
  }
  const result = v.safeParse(manifestSchema, json);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw damaged(path, `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`);
}

/** The part that holds the database. */
export function databasePart(manifest: Manifest): ManifestPart {
  const found = manifest.parts.find(({ holds }) => holds === 'database');
  if (found === undefined) throw damaged(manifest.id, 'it names no dump of a database');
  return found;
}

/** The part that holds files; undefined where the set has none. */
export function filesPart(manifest: Manifest): ManifestPart | undefined {
  return manifest.parts.find(({ holds }) => holds === 'files');
}

/** All rows that were counted. */
export function totalRows(tables: readonly TableRows[]): number {
  return tables.reduce((sum, { rows }) => sum + (rows ?? 0), 0);
}

function damaged(path: string, why: string, cause?: unknown): TendError {
  return new TendError('BACKUP_DAMAGED', `The manifest "${path}" cannot be read: ${why}.`, {
    isPermanent: true,
    cause,
  });
}
