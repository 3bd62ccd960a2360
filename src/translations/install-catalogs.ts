import { copyFile, link, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { copyOwnership, syncPath, unwritable } from './stage-catalog.ts';
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
          kept.set(member.live, { old: await keepOld(member) });
          await bringIn(member);
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
          await putBack(live, old);
          kept.delete(live);
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw unwritable([...kept.keys()].join('", "'), errors[0]);
      await syncFolders(lives);
    },
    async close() {
      for (const path of staged) await rm(path, { force: true });
      for (const { old } of kept.values()) {
        if (old !== undefined) await rm(old, { force: true });
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

async function bringIn({ live, staged }: SetMember): Promise<void> {
  if (staged === null) await rm(live, { force: true });
  else if (staged !== undefined) await rename(staged, live);
}

/** A second name for the live file, which keeps its mode, owner and times; a copy where the file system has no links. */
async function keepOld({ live, former }: SetMember): Promise<string | undefined> {
  if (former === null) return undefined;
  const old = temporaryName(live, 'old');
  await rm(old, { force: true });
  if (former !== undefined) {
    await copyFile(former, old);
    await copyOwnership(live, former, old);
    return old;
  }
  try {
    await link(live, old);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    await copyFile(live, old);
  }
  return old;
}

async function putBack(live: string, old: string | undefined): Promise<void> {
  if (old !== undefined) await rename(old, live);
  // Where the new file had not come in yet, both are names of one file, and rename(2) leaves both as they are.
  await rm(old ?? live, { force: true });
}

async function syncFolders(files: readonly string[]): Promise<void> {
  for (const folder of new Set(files.map((file) => dirname(file)))) await syncPath(folder);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
