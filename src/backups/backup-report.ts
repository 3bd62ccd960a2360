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
  keptAs: v.nullable(v.string()),
  outageMs: v.nullable(count),
  heldTasks: count,
  restoreId: v.string(),
  snapshotAt: v.nullable(v.string()),
  cutOverAt: v.nullable(v.string()),
  laterTransactions: v.nullable(count),
});

/** What a `restore` task that finishes or undoes another restore leaves as its evidence. */
export const settleReportSchema = v.object({
  /** `swept`: it had replaced nothing, and what it left is gone. */
  action: v.picklist(['finished', 'undone', 'swept']),
  restoreId: v.string(),
  backupId: v.nullable(v.string()),
  database: v.string(),
  /** The name under which the database from before is kept. */
  keptAs: v.nullable(v.string()),
  /** The name under which the restored one is kept after a way back, since it was written to. */
  restoredAs: v.nullable(v.string()),
  outageMs: v.nullable(count),
  /** Tasks that were killed over it, and are resolved now. */
  resolvedTasks: v.array(count),
});
