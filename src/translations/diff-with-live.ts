import type { Buffer } from 'node:buffer';
import { countOf } from '../count-of.ts';
import type { MoEntry } from './mo-entry.ts';
import { readMo } from './read-mo.ts';

/** How a compiled catalog differs from the live .mo file, in messages; null where that file cannot be read. */
export interface LiveDiff {
  added: number | null;
  changed: number | null;
  removed: number | null;
}

export const unknownDiff: LiveDiff = { added: null, changed: null, removed: null };
export const noDiff: LiveDiff = { added: 0, changed: 0, removed: 0 };

/** Translations of a live .mo file by what programs look up; undefined where the file is damaged. The header is left out. */
export type LiveMessages = ReadonlyMap<string, string> | undefined;

/** No file has no messages. */
export function readLive(live: Buffer | undefined): LiveMessages {
  if (live === undefined) return new Map();
  try {
    return byLookup(readMo(live));
  } catch {
    return undefined;
  }
}

export function diffWithLive(before: LiveMessages, entries: readonly MoEntry[]): LiveDiff {
  if (before === undefined) return unknownDiff;
  if (before.size === 0) {
    return { ...noDiff, added: entries.filter(({ key }) => key !== '').length };
  }
  const now = byLookup(entries);
  let kept = 0;
  let changed = 0;
  for (const [key, value] of now) {
    const old = before.get(key);
    if (old === undefined) continue;
    kept += 1;
    if (old !== value) changed += 1;
  }
  return { added: now.size - kept, changed, removed: before.size - kept };
}

/**
 * Why a catalog must not replace its live file: it is empty, or loses more messages than allowed, as a file does that
 * was merged half. Undefined where there is no such reason.
 */
export function describeLoss(options: {
  before: LiveMessages;
  diff: LiveDiff;
  entries: readonly MoEntry[];
  output: string;
  maxDropPercent: number | undefined;
}): string | undefined {
  const { before, diff, entries, output, maxDropPercent } = options;
  const had = before?.size ?? 0;
  if (had === 0) return undefined;
  if (entries.length === 0) {
    return `the catalog is empty, and ${output} has ${countOf(had, 'message')}: remove that file first if this is meant`;
  }
  const removed = diff.removed ?? 0;
  if (maxDropPercent === undefined || removed * 100 <= had * maxDropPercent) return undefined;
  const percent = ((removed * 100) / had).toFixed(1).replace(/\.0$/, '');
  return `${removed} of the ${countOf(had, 'message')} of ${output} would be lost (${percent} %), and --max-drop allows ${maxDropPercent} %`;
}

function byLookup(entries: readonly MoEntry[]): Map<string, string> {
  const messages = new Map<string, string>();
  for (const { key, value } of entries) {
    if (key !== '') messages.set(key.split('\0', 1)[0] ?? '', value);
  }
  return messages;
}
