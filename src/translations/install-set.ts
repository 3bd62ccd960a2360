import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AppControls } from '../app/app-controls.ts';
import { changeAppSafely } from '../app/change-app-safely.ts';
import { TendError, toError } from '../errors.ts';
import type { Log } from '../log.ts';
import { createCatalogSet, type SetMember } from './install-catalogs.ts';
import type { KeptEntry, KeptSets } from './kept-set.ts';
import type { PreparedCatalog } from './prepare-catalog.ts';

export interface InstallSetOptions {
  prepared: readonly PreparedCatalog[];
  /** Undefined where nothing can be kept for `--undo`. */
  kept: KeptSets | undefined;
  app: AppControls;
  log: Log;
  signal: AbortSignal;
}

interface Member extends SetMember {
  entry: KeptEntry;
}

/**
 * Installs what is staged as one set, by the road with restart, check and way back; what it replaces is kept for
 * `--undo`.
 *
 * What a killed run has brought in belongs to the set: the application may not have been restarted for it, and the way
 * back leads to before that run. Nothing is done where there is neither.
 *
 * @throws TendError OUTPUT_UNWRITABLE, CHANGE_ROLLED_BACK, CHANGE_STUCK
 */
export async function installSet({ prepared, kept, app, log, signal }: InstallSetOptions): Promise<void> {
  const changed = prepared.filter(({ staged }) => staged !== undefined);
  const unfinished = await kept?.unfinished();
  if (changed.length === 0 && unfinished === undefined) return;
  const members = await joinSets(changed, unfinished ?? [], kept);
  const entries = members
    .map(({ entry }) => entry)
    .filter(({ oldSha256, newSha256 }) => oldSha256 !== newSha256);
  const set = createCatalogSet(members);
  const journal = kept !== undefined && (entries.length > 0 || unfinished !== undefined) ? kept : undefined;
  let isBegun = false;
  try {
    await changeAppSafely({
      ...app,
      subject: 'the message catalogs',
      stuckHint: 'tend compile-translations --undo',
      async apply() {
        isBegun = await begin(journal, entries, log);
        await set.apply();
      },
      undo: async () => await set.undo(),
      log,
      signal,
    });
    if (isBegun) await end(journal, 'installed', log);
  } catch (error) {
    const isStuck = error instanceof TendError && error.code === 'CHANGE_STUCK';
    if (isBegun && !isStuck) await end(journal, 'abandoned', log);
    throw error;
  } finally {
    await set.close();
  }
  for (const { report } of changed) report.result = 'installed';
}

async function joinSets(
  changed: readonly PreparedCatalog[],
  unfinished: readonly KeptEntry[],
  kept: KeptSets | undefined,
): Promise<Member[]> {
  const members = new Map<string, Member>();
  for (const { staged, state, liveSha256 } of changed) {
    if (staged === undefined) continue;
    const entry = {
      ...{ source: state.path, live: staged.live },
      ...{ oldSha256: liveSha256, newSha256: state.outputSha256 ?? '' },
    };
    members.set(staged.live, { ...staged, entry });
  }
  for (const entry of unfinished) {
    const { live, oldSha256, newSha256 } = entry;
    if (kept === undefined || (await fileSha256(live)) !== newSha256) continue; // it never went live, or is no longer ours
    const former = oldSha256 === null ? null : kept.file(oldSha256);
    const member = members.get(live);
    members.set(live, {
      ...{ live, staged: member?.staged, former },
      entry: { ...entry, newSha256: member?.entry.newSha256 ?? newSha256 },
    });
  }
  return [...members.values()];
}

/** That nothing can be kept must not keep the translations from going live. */
async function begin(kept: KeptSets | undefined, entries: readonly KeptEntry[], log: Log): Promise<boolean> {
  try {
    await kept?.begin(entries);
    return kept !== undefined;
  } catch (error) {
    log.warn(`The message catalogs cannot be put back by --undo later: ${toError(error).message}`);
    return false;
  }
}

async function end(kept: KeptSets | undefined, how: 'installed' | 'abandoned', log: Log): Promise<void> {
  try {
    await kept?.end(how);
  } catch (error) {
    log.warn(`What was kept for --undo could not be put in order: ${toError(error).message}`);
  }
}

/** Of a file's content; null where there is no such file, or it cannot be read. */
export async function fileSha256(path: string): Promise<string | null> {
  const bytes = await readFile(path).catch(() => undefined);
  return bytes === undefined ? null : createHash('sha256').update(bytes).digest('hex');
}
