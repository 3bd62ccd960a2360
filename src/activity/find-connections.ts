import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';
import { type Blocker, findBlockers } from './find-blockers.ts';
import { findLimits } from './find-limits.ts';
import { findSessions, type Session } from './find-sessions.ts';
import { groupSessions, isStale, type SessionGroup } from './group-sessions.ts';

/** A role with sessions that may take every session that is left. */
export interface Exhauster {
  user: string;
  sessions: number;
  /** Its `connection limit`; null where it has none. */
  limit: number | null;
}

/** What `tend connections` shows; keys of its JSON contract. */
export interface Connections {
  maxConnections: number;
  /** Kept for superusers. */
  reserved: number;
  /** Sessions that ordinary roles can have: the difference of the two. */
  available: number;
  /** All sessions of clients, the one that asks included. */
  used: number;
  /** Of `available`, in percent. */
  usedPercent: number;
  /** Without the session that asks. */
  groups: SessionGroup[];
  /** Sessions that are stale, the oldest first. */
  stale: Pick<Session, 'pid' | 'application' | 'user' | 'state' | 'stateAgeMs' | 'transactionAgeMs'>[];
  blockers: Blocker[];
  couldExhaust: Exhauster[];
  /** Sessions whose state, client and ages we may not see. */
  hidden: number;
  /** The session that asks. */
  ownPid: number | null;
}

/** Who holds the server's sessions, and how many are left. Reads only. */
export async function findConnections(options: {
  db: Kysely<Database>;
  /** See `isStale`. */
  staleMs: number;
}): Promise<Connections> {
  const { db, staleMs } = options;
  const limits = await findLimits(db);
  const all = await findSessions(db);
  const others = all.filter(({ isOwn }) => !isOwn);
  const { maxConnections, reserved } = limits;
  const available = maxConnections - reserved;
  const stale = others
    .filter((session) => isStale(session, staleMs))
    .sort((left, right) => (right.stateAgeMs ?? 0) - (left.stateAgeMs ?? 0));
  return {
    ...{ maxConnections, reserved, available, used: all.length },
    usedPercent: Math.round((all.length / Math.max(1, available)) * 100),
    groups: groupSessions(others, staleMs),
    stale: stale.map(({ pid, application, user, state, stateAgeMs, transactionAgeMs }) => ({
      ...{ pid, application, user, state, stateAgeMs, transactionAgeMs },
    })),
    blockers: findBlockers(all),
    couldExhaust: exhausters(others, limits.byUser, available - all.length),
    hidden: others.filter(({ isHidden }) => isHidden).length,
    ownPid: all.find(({ isOwn }) => isOwn)?.pid ?? null,
  };
}

function exhausters(sessions: readonly Session[], limits: Record<string, number>, free: number): Exhauster[] {
  const counts = new Map<string, number>();
  for (const { user } of sessions) counts.set(user, (counts.get(user) ?? 0) + 1);
  return [...counts]
    .map(([user, count]) => ({ user, sessions: count, limit: limits[user] ?? null }))
    .filter(({ sessions: count, limit }) => limit === null || limit - count >= free)
    .sort((left, right) => right.sessions - left.sessions);
}
