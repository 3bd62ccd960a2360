import * as v from 'valibot';
import { errorCodes } from '../errors.ts';

const count = v.number();

const remoteCopies = v.array(
  v.object({
    name: v.string(),
    outcome: v.picklist(['stored', 'failed']),
    bytes: count,
    durationMs: count,
    error: v.exactOptional(
      v.object({
        code: v.custom<keyof typeof errorCodes>((code) => typeof code === 'string' && code in errorCodes),
        message: v.string(),
        hint: v.nullable(v.string()),
      }),
    ),
  }),
);

/** What a `backup` task leaves as its evidence, and the command prints under `--json`. */
export const backupReportSchema = v.object({
  id: v.string(),
  path: v.string(),
  database: v.string(),
  bytes: count,
  sha256: v.string(),
  tables: count,
  rows: count,
  durationMs: count,
  remotes: remoteCopies,
});

/** What a `push-backup` task leaves as its evidence. */
export const pushReportSchema = v.object({ id: v.string(), remotes: remoteCopies });

/** What a `verify-backup` task leaves as its evidence. */
export const verifyReportSchema = v.object({
  id: v.string(),
  bytes: count,
  uncompressedBytes: count,
  sha256: v.string(),
  /** The remote it was read from; null for the backup directory. */
  remote: v.nullable(v.string()),
});

/** What a `restore` task leaves as its evidence. */
export const restoreReportSchema = v.object({
  backupId: v.string(),
  database: v.string(),
  tables: count,
  rows: count,
  keptAs: v.nullable(v.string()),
  outageMs: v.nullable(count),
  heldTasks: count,
});
