import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { isBackupId } from '../sets/backup-id.ts';
import type { FileSwap } from './swap-files.ts';

/**
 * What a restore has come to. Each is written before the step that it names begins, or when it is done:
 *
 *     begun ─▶ cutting-over ─▶ cut-over ─▶ finished
 *                                 │           │
 *                                 └─▶ putting-back ─▶ put-back ─▶ undone
 */
export const restorePhases = [
  'begun',
  'cutting-over',
  'cut-over',
  'finished',
  'putting-back',
  'put-back',
  'undone',
] as const;
export type RestorePhase = (typeof restorePhases)[number];

const text = v.string();
const fileSwap: v.GenericSchema<unknown, FileSwap> = v.object({ live: text, fresh: text, keptAs: text });

/** A table that the transaction of a restore in place replaces; see `findWitness`. */
const witness = v.object({
  schema: text,
  name: text,
  /** Null where there was none. */ oid: v.nullable(v.number()),
});
export type Witness = v.InferOutput<typeof witness>;

/** What is known of a restore before it does anything. */
export const restoreFactsSchema = v.object({
  /** Of the restore; not that of the set. */
  id: text,
  /** The name that is given to the restored database. */
  database: text,
  backupId: v.nullable(text),
  /** Where the set was taken from, as it was asked for; null where nobody knows any more. */
  source: v.nullable(text),
  scratch: text,
  /** Null where there was no database to keep. */
  keptAs: v.nullable(text),
  /** The name of the restored database after a way back. */
  undoneAs: text,
  files: v.array(fileSwap),
  /** Whether the application is restarted and checked. */
  touchesApp: v.boolean(),
  /** The new database that it restores into; then the live one is none of its business. */
  into: v.optional(text),
  /** Of a restore in place (`--in-place`), which makes and renames no database. */
  within: v.optional(
    v.object({
      /** The set that was taken of the database before; null where none was. */
      savedAs: v.nullable(text),
      witness: v.nullable(witness),
    }),
  ),
});
export type RestoreFacts = v.InferOutput<typeof restoreFactsSchema>;

/** One line of a journal. */
export const journalLineSchema = v.object({
  at: text,
  phase: v.picklist(restorePhases),
  host: text,
  process: v.object({ pid: v.number(), kernel: text, startTicks: text }),
  taskId: v.nullable(v.number()),
  facts: v.optional(restoreFactsSchema),
  /** Rows that were written into the restored database before anybody else could. */
  rowsBefore: v.optional(v.nullable(v.number())),
});
export type JournalLine = v.InferOutput<typeof journalLineSchema>;

/** A restore as its journal tells it. */
export interface RestoreRecord {
  /** The journal. */
  path: string;
  facts: RestoreFacts;
  phase: RestorePhase;
  /** When the phase began. */
  at: string;
  /** The process that wrote the last line. */
  host: string;
  process: JournalLine['process'];
  /** Every task that worked on it. */
  taskIds: number[];
  rowsBefore: number | null;
}

export const journalSuffix = '.jsonl';

/** All restores of `database` that a directory has journals of, newest first. */
export async function findRestores(options: {
  directory: string;
  database: string;
}): Promise<RestoreRecord[]> {
  const { directory, database } = options;
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const ours = names.filter(
    (name) => name.endsWith(journalSuffix) && isBackupId(name.slice(0, -journalSuffix.length)),
  );
  const records: RestoreRecord[] = [];
  for (const name of ours.sort().reverse()) {
    const path = join(directory, name);
    const record = parseJournal(await readFile(path, 'utf8'), path);
    if (record?.facts.database === database) records.push(record);
  }
  return records;
}

/**
 * Reads a journal. A line that was being written when the power went is as good as not written; where that was the
 * first, the restore had not done anything, and the answer is undefined.
 */
function parseJournal(content: string, path: string): RestoreRecord | undefined {
  const lines = content.split('\n').flatMap(parseLine);
  const facts = lines.find((line) => line.facts !== undefined)?.facts;
  const last = lines.at(-1);
  if (facts === undefined || last === undefined) return undefined;
  const { phase, at, host, process } = last;
  const taskIds = [...new Set(lines.flatMap(({ taskId }) => (taskId === null ? [] : [taskId])))];
  const rowsBefore = lines.findLast((line) => line.rowsBefore !== undefined)?.rowsBefore ?? null;
  return { path, facts, phase, at, host, process, taskIds, rowsBefore };
}

function parseLine(line: string): JournalLine[] {
  try {
    const result = v.safeParse(journalLineSchema, JSON.parse(line));
    return result.success ? [result.output] : [];
  } catch {
    return [];
  }
}
