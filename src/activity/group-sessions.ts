import type { Session } from './find-sessions.ts';

/** Sessions alike in application, user, database, client and state. */
export interface SessionGroup
  extends Pick<Session, 'application' | 'user' | 'database' | 'client' | 'state'> {
  count: number;
  /** How many of them are stale: see `isStale`. */
  stale: number;
  oldestMs: number | null;
  oldestTransactionMs: number | null;
}

/**
 * The sessions in groups, the largest first. The processes of tend are one application, whatever command, host and pid
 * they name themselves by.
 */
export function groupSessions(sessions: readonly Session[], staleMs: number): SessionGroup[] {
  const groups = new Map<string, SessionGroup>();
  for (const session of sessions) {
    const { user, database, client, state } = session;
    const application = session.application.startsWith('tend ') ? 'tend' : session.application;
    const key = JSON.stringify([application, user, database, client, state]);
    const group = groups.get(key) ?? {
      ...{ application, user, database, client, state, count: 0, stale: 0 },
      ...{ oldestMs: null, oldestTransactionMs: null },
    };
    group.count += 1;
    group.stale += isStale(session, staleMs) ? 1 : 0;
    group.oldestMs = older(group.oldestMs, session.ageMs);
    group.oldestTransactionMs = older(group.oldestTransactionMs, session.transactionAgeMs);
    groups.set(key, group);
  }
  return [...groups.values()].sort((left, right) => right.count - left.count);
}

/** Has done nothing for so long, in a transaction or not, or is in one transaction for so long. */
export function isStale({ state, stateAgeMs, transactionAgeMs }: Session, staleMs: number): boolean {
  if ((transactionAgeMs ?? 0) >= staleMs) return true;
  return state !== null && state.startsWith('idle') && (stateAgeMs ?? 0) >= staleMs;
}

function older(left: number | null, right: number | null): number | null {
  return left === null || right === null ? (left ?? right) : Math.max(left, right);
}
