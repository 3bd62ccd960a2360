import * as v from 'valibot';
import { errorCodes } from '../../errors.ts';
import { exitCodes } from '../../exit-codes.ts';
import { isRetentionDone, type RetentionOutcome } from '../retention/retain-after-backup.ts';

const count = v.number();
/** `names` has the first hundred of them. */
const namedFiles = v.object({ count, names: v.array(v.string()) });

const retention = v.nullable(
  v.object({ removed: v.array(v.string()), failed: v.array(v.string()), error: v.nullable(v.string()) }),
);

const remoteCopy = v.object({
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
});

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
  /** Null where the set has no files. */
  files: v.nullable(
    v.object({
      bytes: count,
      sha256: v.string(),
      entries: count,
      unreadable: namedFiles,
      changed: namedFiles,
    }),
  ),
  /** With what retention did in each; null where no `keep` is set for it, or it has not got the set. */
  remotes: v.array(v.object({ ...remoteCopy.entries, retention: v.optional(retention, null) })),
  /** Null where `[backup] keep` is not set. */
  retention,
});

/** What a `prune` task leaves as its evidence. */
export const pruneReportSchema = v.object({
  place: v.string(),
  kept: count,
  removed: v.array(v.object({ id: v.string(), bytes: count, reasons: v.array(v.string()) })),
  left: v.array(v.object({ name: v.string(), why: v.string() })),
  freedBytes: count,
  /** What restores had kept for longer than `[backup] keep_replaced`. */
  droppedDatabases: v.optional(v.array(v.string()), []),
});

/** 3 when files are not in the set because they could not be read, a remote has not got it, or an old set, here or there, could not be removed; else 0. */
export function backupExitCode(report: {
  files?: { unreadable: { count: number } } | null | undefined;
  remotes: readonly { outcome: string; retention: RetentionOutcome | null }[];
  retention: RetentionOutcome | null;
}): number {
  const isWhole = (report.files?.unreadable.count ?? 0) === 0;
  const isEverywhere = report.remotes.every(({ outcome }) => outcome === 'stored');
  const outcomes = [report.retention, ...report.remotes.map((copy) => copy.retention)];
  const isDone = isWhole && isEverywhere && outcomes.every(isRetentionDone);
  return isDone ? exitCodes.ok.code : exitCodes.someFailed.code;
}

/** What a `push-backup` task leaves as its evidence. */
export const pushReportSchema = v.object({ id: v.string(), remotes: v.array(remoteCopy) });

const verifiedLevel = v.picklist(['stored', 'content']);

/** What a `verify-backup` task leaves as its evidence. */
export const verifyReportSchema = v.object({
  id: v.string(),
  /** These and the hash are of the database; each part has its own in `parts`. */
  bytes: count,
  uncompressedBytes: v.nullable(count),
  sha256: v.string(),
  /** `stored` where there was no key to read the content with. */
  level: v.optional(verifiedLevel, 'content'),
  parts: v.optional(
    v.array(
      v.object({
        file: v.string(),
        holds: v.picklist(['database', 'files', 'globals']),
        bytes: count,
        level: verifiedLevel,
      }),
    ),
    [],
  ),
  /** The remote it was read from; null for the backup directory. */
  remote: v.nullable(v.string()),
  /** How long the test restore took; null where the set was only read. */
  restoreMs: v.nullable(count),
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
  files: v.array(v.object({ path: v.string(), keptAs: v.string() })),
  restoreId: v.string(),
  snapshotAt: v.nullable(v.string()),
  cutOverAt: v.nullable(v.string()),
  laterTransactions: v.nullable(count),
  savedAs: v.optional(v.nullable(v.string()), null),
});

/** What a `restore` task that finishes or undoes another restore leaves as its evidence. */
export const settleReportSchema = v.object({
  /** `swept`: it had replaced nothing, and what it left is gone. */
  action: v.picklist(['finished', 'undone', 'swept']),
  restoreId: v.string(),
  backupId: v.nullable(v.string()),
  database: v.string(),
  /** Whether it was one within the live database: then nothing is kept. */
  inPlace: v.optional(v.boolean(), false),
  /** The new database that it was restoring into; null where it was about the live one. */
  into: v.optional(v.nullable(v.string()), null),
  /** The name under which the database from before is kept. */
  keptAs: v.nullable(v.string()),
  /** The name under which the restored one is kept after a way back, since it was written to. */
  restoredAs: v.nullable(v.string()),
  outageMs: v.nullable(count),
  /** Tasks that were killed over it, and are resolved now. */
  resolvedTasks: v.array(count),
});
