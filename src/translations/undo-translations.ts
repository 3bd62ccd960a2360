import { copyFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AppControls } from '../app/app-controls.ts';
import { changeAppSafely } from '../app/change-app-safely.ts';
import { TendError, toError } from '../errors.ts';
import type { Log, Progress } from '../log.ts';
import type { CatalogState, CatalogStateStore } from './catalog-state.ts';
import { createCatalogSet, type SetMember } from './install-catalogs.ts';
import { fileSha256 } from './install-set.ts';
import { type KeptEntry, type KeptSets, openKeptSets } from './kept-set.ts';
import { copyOwnership, unwritable } from './stage-catalog.ts';
import { sweepTemporaries, temporaryName } from './temporary-names.ts';

export interface UndoTranslationsOptions {
  keptDirectory: string;
  store: CatalogStateStore | undefined;
  app: AppControls;
  log: Log;
  progress: Progress;
  signal: AbortSignal;
}

/** Part of the JSON contract: .mo files that have their former content again, and those that are gone since there was none. */
export interface UndoReport {
  restored: string[];
  removed: string[];
}

/**
 * Puts back what the last installation replaced, as one set: restart, check, and on failure the new ones stay. What a
 * killed installation has brought in is taken back in the same way, and a killed `--undo` is finished. Nothing is done
 * where the last set has been put back already.
 *
 * @throws TendError CATALOGS_UNDO_REFUSED where there is nothing to put back, or a file has changed since;
 * CATALOGS_BUSY, OUTPUT_UNWRITABLE, CHANGE_ROLLED_BACK, CHANGE_STUCK
 */
export async function undoTranslations(options: UndoTranslationsOptions): Promise<UndoReport> {
  using kept = await open(options.keptDirectory);
  const unfinished = await kept.unfinished();
  const entries = unfinished ?? (await kept.last());
  if (entries === undefined) {
    if (await kept.isUndone()) return { restored: [], removed: [] };
    throw refuse(`There is nothing to put back: nothing is kept in "${options.keptDirectory}".`);
  }
  const back = await chooseBack(entries, kept);
  sweepTemporaries(entries.map(({ live }) => dirname(live)));
  await options.progress.step('Put the former message catalogs back', async () => {
    await putBack({ ...options, kept, back, isUnfinished: unfinished !== undefined });
  });
  await remember(entries, options);
  return {
    restored: back.filter(({ oldSha256 }) => oldSha256 !== null).map(({ live }) => live),
    removed: back.filter(({ oldSha256 }) => oldSha256 === null).map(({ live }) => live),
  };
}

async function open(directory: string): Promise<KeptSets> {
  try {
    return await openKeptSets(directory);
  } catch (error) {
    throw error instanceof TendError ? error : unwritable(directory, error);
  }
}

/** The entries whose new file is live. Those that were put back by an undo that was killed are done. */
async function chooseBack(entries: readonly KeptEntry[], kept: KeptSets): Promise<KeptEntry[]> {
  const back: KeptEntry[] = [];
  const foreign: string[] = [];
  for (const entry of entries) {
    const live = await fileSha256(entry.live);
    if (live === entry.newSha256) back.push(entry);
    else if (live !== entry.oldSha256) foreign.push(entry.live);
  }
  if (foreign.length > 0) {
    throw refuse(
      `The former message catalogs cannot be put back: somebody else has written or removed "${foreign.join('", "')}" since.`,
      'tend compile-translations --force',
    );
  }
  for (const { oldSha256, live } of back) {
    if (oldSha256 === null || (await fileSha256(kept.file(oldSha256))) === oldSha256) continue;
    throw refuse(
      `"${live}" cannot be put back: what was kept of it, "${kept.file(oldSha256)}", is missing or damaged.`,
    );
  }
  return back;
}

interface PutBackOptions extends UndoTranslationsOptions {
  kept: KeptSets;
  back: readonly KeptEntry[];
  isUnfinished: boolean;
}

async function putBack({ kept, back, isUnfinished, app, log, signal }: PutBackOptions): Promise<void> {
  const members: SetMember[] = [];
  let hasBegun = false;
  try {
    for (const entry of back) members.push(await stage(entry, kept));
    const set = createCatalogSet(members);
    await changeAppSafely({
      ...app,
      subject: 'the former message catalogs',
      stuckHint: 'tend compile-translations --undo',
      async apply() {
        if (!isUnfinished) await kept.beginUndo();
        hasBegun = true;
        await set.apply();
      },
      async undo() {
        await set.undo();
        if (!isUnfinished && hasBegun) await kept.cancelUndo();
        hasBegun = false;
      },
      log,
      signal,
    });
    await set.close(); // first: after the journal's end nobody would look for what is left of it
    await kept.end('undone');
  } finally {
    await createCatalogSet(members).close();
  }
}

async function stage({ live, oldSha256 }: KeptEntry, kept: KeptSets): Promise<SetMember> {
  if (oldSha256 === null) return { live, staged: null };
  const staged = temporaryName(live, 'new');
  try {
    await copyFile(kept.file(oldSha256), staged);
    copyOwnership(live, live, staged);
  } catch (error) {
    await rm(staged, { force: true }).catch(() => {});
    throw unwritable(live, error);
  }
  return { live, staged };
}

/** So that the next run takes neither the file for a stranger's nor the source for compiled. */
async function remember(
  entries: readonly KeptEntry[],
  { store, log }: UndoTranslationsOptions,
): Promise<void> {
  const states = entries.map(({ source, oldSha256 }): CatalogState => {
    const known = { path: source, sourceSha256: '', outputSha256: oldSha256 };
    return oldSha256 === null
      ? { ...known, result: 'failed', message: 'taken back by --undo' }
      : { ...known, result: 'installed', message: null };
  });
  try {
    await store?.save(states);
  } catch (error) {
    log.warn(`The state of the catalogs could not be kept: ${toError(error).message}`);
  }
}

function refuse(message: string, hint?: string): TendError {
  return new TendError('CATALOGS_UNDO_REFUSED', message, {
    ...(hint === undefined ? {} : { hint }),
    isPermanent: true,
  });
}
