import type { Buffer } from 'node:buffer';
import { createHash, hash } from 'node:crypto';

/** Part of the fingerprint: another number makes every catalog be compiled again. */
const compilerVersion = 2;

/** What of the options decides what comes out. */
export interface Recipe {
  useFuzzy: boolean;
  onBadMessage: 'fail' | 'drop';
}

/** Of a .po file. The options are part of it, since the same source gives another .mo file with others. */
export function sourceFingerprint(bytes: Buffer, { useFuzzy, onBadMessage }: Recipe): string {
  const recipe = JSON.stringify([compilerVersion, useFuzzy, onBadMessage]);
  return createHash('sha256').update(recipe).update(bytes).digest('hex');
}

export function sha256(bytes: Buffer): string {
  return hash('sha256', bytes);
}
