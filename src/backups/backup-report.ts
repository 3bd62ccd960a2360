import * as v from 'valibot';
import { exitCodes } from '../exit-codes.ts';

const count = v.number();
/** `names` has the first hundred of them. */
const namedFiles = v.object({ count, names: v.array(v.string()) });

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
});

/** 3 when files are not in the set because they could not be read, else 0. */
export function backupExitCode({
  files,
}: {
  files?: { unreadable: { count: number } } | null | undefined;
}): number {
  return (files?.unreadable.count ?? 0) > 0 ? exitCodes.someFailed.code : exitCodes.ok.code;
}

/** What a `verify-backup` task leaves as its evidence. */
export const verifyReportSchema = v.object({
  id: v.string(),
  bytes: count,
  uncompressedBytes: v.nullable(count),
  sha256: v.string(),
  /** `stored` where there was no key to read the content with. */
  level: v.optional(v.picklist(['stored', 'content']), 'content'),
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
  files: v.array(v.object({ path: v.string(), keptAs: v.string() })),
});
