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
  /** Null where `[backup] keep` is not set. */
  retention: v.nullable(
    v.object({
      removed: v.array(v.string()),
      failed: v.array(v.string()),
      error: v.nullable(v.string()),
    }),
  ),
});

/** What a `prune` task leaves as its evidence. */
export const pruneReportSchema = v.object({
  place: v.string(),
  kept: count,
  removed: v.array(v.object({ id: v.string(), bytes: count, reasons: v.array(v.string()) })),
  left: v.array(v.object({ name: v.string(), why: v.string() })),
  freedBytes: count,
});

/** What a `verify-backup` task leaves as its evidence. */
export const verifyReportSchema = v.object({
  id: v.string(),
  bytes: count,
  uncompressedBytes: v.nullable(count),
  sha256: v.string(),
  /** `stored` where there was no key to read the content with. */
  level: v.optional(v.picklist(['stored', 'content']), 'content'),
  /** How long the test restore took; null where the set was only read. */
  restoreMs: v.nullable(count),
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
