import { fingerprint } from '../fingerprint.ts';
import type { TaskKind } from './handlers/handler.ts';

export type RegisteredKind = TaskKind & { source: 'built-in' | 'config' };

/** Changes whenever what `tend.kinds` should hold for this host changes. */
export function kindsFingerprint(kinds: Iterable<RegisteredKind>): string {
  return fingerprint(kindRows(kinds));
}

/** What `tend.kinds` should hold. */
export function kindRows(kinds: Iterable<RegisteredKind>) {
  return [...kinds].map(({ kind, source, policy }) => ({
    kind,
    source,
    max_attempts: policy.maxAttempts,
    on_lost: policy.onLost,
    mutex: policy.mutex,
    max_running: policy.maxRunning,
  }));
}
