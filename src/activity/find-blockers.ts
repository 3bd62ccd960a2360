import type { Session } from './find-sessions.ts';

/** A session and those that wait for it. */
export interface Blocker
  extends Pick<Session, 'pid' | 'application' | 'user' | 'state' | 'transactionAgeMs'> {
  /** Each with those that wait for it in turn; a session that waits for two stands below both. */
  blocks: Blocker[];
}

/**
 * Who holds up whom: trees, each from a session that waits for nobody. A blocker that is no client's session (a prepared
 * transaction has no pid at all) is left out. A deadlock, which the server ends by itself, has no root: it is entered at
 * its lowest pid, and no session stands twice on one branch.
 */
export function findBlockers(sessions: readonly Session[]): Blocker[] {
  const waiting = new Map<number, Session[]>();
  for (const session of sessions)
    for (const pid of session.blockedBy) waiting.set(pid, [...(waiting.get(pid) ?? []), session]);
  const seen = new Set<number>();
  const grow = (session: Session, branch: readonly number[]): Blocker => {
    seen.add(session.pid);
    const { pid, application, user, state, transactionAgeMs } = session;
    const next = (waiting.get(pid) ?? []).filter((one) => !branch.includes(one.pid));
    const blocks = next.map((one) => grow(one, [...branch, one.pid]));
    return { pid, application, user, state, transactionAgeMs, blocks };
  };
  const blocking = sessions.filter(({ pid }) => waiting.has(pid));
  const roots = blocking.filter(({ blockedBy }) => blockedBy.length === 0);
  const trees = roots.map((root) => grow(root, [root.pid]));
  for (const session of blocking) if (!seen.has(session.pid)) trees.push(grow(session, [session.pid]));
  return trees;
}
