import * as v from 'valibot';

const count = v.number();

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
});

/** What a `verify-backup` task leaves as its evidence. */
export const verifyReportSchema = v.object({
  id: v.string(),
  bytes: count,
  uncompressedBytes: count,
  sha256: v.string(),
});

/** What a `restore` task leaves as its evidence. */
export const restoreReportSchema = v.object({
  backupId: v.string(),
  database: v.string(),
  tables: count,
  rows: count,
  compared: v.boolean(),
  keptAs: v.nullable(v.string()),
  outageMs: v.nullable(count),
  heldTasks: count,
});
