import { copyFile, link, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { TendError } from '../errors.ts';
import { makeDirectory } from '../make-directory.ts';
import { lockFile } from '../processes/lock-file.ts';
import { syncPath } from '../sync-path.ts';

const sha256 = v.pipe(v.string(), v.hexadecimal(), v.length(64));

const entrySchema = v.object({
  /** The .po file. */
  source: v.string(),
  /** The .mo file that was replaced, a real path. */
  live: v.string(),
  /** What stood there; null where there was no file. */
  oldSha256: v.nullable(sha256),
  newSha256: sha256,
});
const setSchema = v.object({ version: v.literal(1), entries: v.array(entrySchema) });

/** One file of a set that was installed, and what it replaced. */
export type KeptEntry = v.InferOutput<typeof entrySchema>;

/** What the sets of catalogs of one application have replaced; at most the last one. Disposing gives the lock back. */
export interface KeptSets extends Disposable {
  /** The set that was being installed, or put back, when its process was killed. */
  unfinished(): Promise<readonly KeptEntry[] | undefined>;
  /** The set that is live. */
  last(): Promise<readonly KeptEntry[] | undefined>;
  /** Whether the last set has been put back, and none was installed since. */
  isUndone(): Promise<boolean>;
  /** Path of a kept file. */
  file(sha256: string): string;
  /** Before the first live file is replaced: keeps the old files, and writes down that these are on their way. */
  begin(entries: readonly KeptEntry[]): Promise<void>;
  /** Ends what is unfinished: the set is live, was put back by `--undo`, or is as it was before. */
  end(how: 'installed' | 'undone' | 'abandoned'): Promise<void>;
  /** The last set is on its way back. */
  beginUndo(): Promise<void>;
  /** It stays after all. */
  cancelUndo(): Promise<void>;
}

const names = { unfinished: 'unfinished.json', last: 'last.json', undone: 'undone.json' };

/**
 * Opens the kept sets under their lock.
 *
 * A journal is renamed from name to name, so that a crash leaves it under one of them; files are kept under their
 * SHA-256.
 *
 * @throws TendError CATALOGS_BUSY while another process installs; an error of the file system where nothing can be kept.
 */
export async function openKeptSets(directory: string): Promise<KeptSets> {
  await makeDirectory(directory);
  const lock = await lockFile(join(directory, '.lock'));
  if (lock === undefined) {
    throw new TendError(
      'CATALOGS_BUSY',
      'Another process is installing the message catalogs of this application.',
      {
        hint: 'Wait until it has ended; see what runs: tend tasks --state running',
      },
    );
  }
  const at = (name: keyof typeof names) => join(directory, names[name]);
  const file = (sha: string) => join(directory, `${sha}.mo`);
  const move = async (from: keyof typeof names, to: keyof typeof names) => {
    await rename(at(from), at(to));
    await syncPath(directory);
  };
  const read = async (name: keyof typeof names) => await readJournal(at(name));
  return {
    unfinished: async () => await read('unfinished'),
    last: async () => await read('last'),
    isUndone: async () => (await read('undone')) !== undefined,
    file,
    async begin(entries) {
      for (const { live, oldSha256 } of entries) {
        if (oldSha256 !== null) await keep(live, file(oldSha256));
      }
      await writeDurably(at('unfinished'), JSON.stringify({ version: 1, entries }));
      await syncPath(directory);
    },
    async end(how) {
      if (how === 'abandoned') await rm(at('unfinished'), { force: true });
      else await move('unfinished', how === 'undone' ? 'undone' : 'last');
      if (how === 'undone') await rm(at('last'), { force: true });
      if (how === 'installed') await rm(at('undone'), { force: true });
      await sweep(directory, [...((await read('unfinished')) ?? []), ...((await read('last')) ?? [])]);
    },
    beginUndo: async () => await move('last', 'unfinished'),
    cancelUndo: async () => await move('unfinished', 'last'),
    [Symbol.dispose]: () => lock[Symbol.dispose](),
  };
}

/** A journal that cannot be read, from a later version of `tend` perhaps, is none. */
async function readJournal(path: string): Promise<readonly KeptEntry[] | undefined> {
  try {
    return v.parse(setSchema, JSON.parse(await readFile(path, 'utf8'))).entries;
  } catch {
    return undefined;
  }
}

/** A second name for the file costs nothing, and live files are replaced, never written to; a copy on another disk. */
async function keep(live: string, kept: string): Promise<void> {
  try {
    await link(live, kept);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    await copyFile(live, kept);
    await syncPath(kept);
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(`${path}.new`, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.new`, path);
}

async function sweep(directory: string, entries: readonly KeptEntry[]): Promise<void> {
  const wanted = new Set(entries.flatMap(({ oldSha256 }) => (oldSha256 === null ? [] : [`${oldSha256}.mo`])));
  for (const name of await readdir(directory)) {
    if (name.endsWith('.mo') && !wanted.has(name)) await rm(join(directory, name), { force: true });
  }
}
