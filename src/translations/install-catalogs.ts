import { copyFileSync, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncPath } from '../sync-path.ts';
import { copyOwnership, unwritable } from './stage-catalog.ts';
import { temporaryName } from './temporary-names.ts';

/** One file of a set. */
export interface SetMember {
  live: string;
  /** The file that waits beside it; null where the live one is to go; undefined where the new one is there already. */
  staged: string | null | undefined;
  /** Where the live file is not what it was before: path of that one, null where there was none. */
  former?: string | null;
}

/** A set of catalogs on its way: installed as one, and put back as one. */
export interface CatalogSet {
  /** Renames all in. Every live file is whole at each moment, old or new: renames are atomic. */
  apply(): Promise<void>;
  /** Puts the old files back where `apply` had come to, and removes files that were new. Harmless twice. */
  undo(): Promise<void>;
  /** Removes what was kept for the way back, and what never went live. */
  close(): Promise<void>;
}

/** fsyncs that wait together: the journal writes them out as one. */
const syncBatch = 32;

/** These files as one set. */
export function createCatalogSet(members: readonly SetMember[]): CatalogSet {
  const staged = members.flatMap((member) => member.staged ?? []);
  const lives = members.map(({ live }) => live);
  const kept = new Map<string, { old: string | undefined }>();
  return {
    async apply() {
      for (let from = 0; from < staged.length; from += syncBatch) {
        await Promise.all(staged.slice(from, from + syncBatch).map(syncStaged));
      }
      for (const member of members) {
        try {
          kept.set(member.live, { old: keepOld(member) });
          bringIn(member);
        } catch (error) {
          throw unwritable(member.live, error);
        }
      }
      await syncFolders(lives);
    },
    async undo() {
      const errors: unknown[] = [];
      for (const [live, { old }] of kept) {
        try {
          putBack(live, old);
          kept.delete(live);
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw unwritable([...kept.keys()].join('", "'), errors[0]);
      await syncFolders(lives);
    },
    async close() {
      for (const path of staged) remove(path);
      for (const { old } of kept.values()) {
        if (old !== undefined) remove(old);
      }
      kept.clear();
    },
  };
}

/** Makes sure that the staged file outlives a power cut. */
async function syncStaged(path: string): Promise<void> {
  try {
    await syncPath(path);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function bringIn({ live, staged }: SetMember): void {
  if (staged === null) remove(live);
  else if (staged !== undefined) renameSync(staged, live);
}

/** A second name for the live file, which keeps its mode, owner and times; a copy where the file system has no links. */
function keepOld({ live, former }: SetMember): string | undefined {
  if (former === null || !(former !== undefined || isThere(live))) return undefined;
  const old = temporaryName(live, 'old');
  remove(old);
  if (former !== undefined) {
    copyFileSync(former, old);
    copyOwnership(live, former, old);
    return old;
  }
  try {
    linkSync(live, old);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    copyFileSync(live, old);
  }
  return old;
}

function putBack(live: string, old: string | undefined): void {
  if (old !== undefined) renameSync(old, live);
  // Where the new file had not come in yet, both are names of one file, and rename(2) leaves both as they are.
  remove(old ?? live);
}

async function syncFolders(files: readonly string[]): Promise<void> {
  for (const folder of new Set(files.map((file) => dirname(file)))) await syncPath(folder);
}

function remove(path: string): void {
  if (!isThere(path)) return; // that costs less than an error
  try {
    unlinkSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
