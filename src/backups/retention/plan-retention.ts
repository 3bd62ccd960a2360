import { type CalendarRule, calendarRules } from './calendar-rules.ts';
import type { KeepRules } from './keep-rules.ts';

/** A good set, as retention sees it. */
export interface RetainedSet {
  id: string;
  /** When the backup began: what is in the set is of this moment. */
  startedAt: Date;
  /** When it was last found good by reading or restoring it; null where nobody looked. */
  verifiedAt: Date | null;
}

export interface RetentionDecision {
  id: string;
  action: 'keep' | 'remove';
  /** Every rule that keeps it, or why it goes: `last 3`, `daily 2026-11-20`. */
  reasons: string[];
}

export interface PlanRetentionOptions {
  /** Good sets of one database in one place, in any order. */
  sets: readonly RetainedSet[];
  keep: KeepRules;
  /** Keeps what is younger, besides what `keep` keeps. */
  olderThanMs?: number | undefined;
  /** Sets that somebody needs now, with the reason. */
  inUse?: ReadonlyMap<string, string>;
  now: Date;
}

/**
 * Decides for each set whether it stays, newest first. A set stays where any rule keeps it.
 *
 * `last` keeps the newest N; `daily`, `weekly` and `monthly` keep the newest set of each of the last N days, ISO weeks
 * and months **that have one**: a gap uses nothing up. Where a rule has not used up its N, it keeps the oldest set too,
 * so that the history is as long as it can be (both as restic's `forget` does). Days are those of UTC, as in the ids:
 * the same on every host, and no day is 23 hours long.
 *
 * Age is counted from the newest set and not from now, so that a backup that has not run for weeks does not empty the
 * folder; a set that says it is from the future does not make the others old. The newest set and the newest verified
 * one stay whatever the rules say.
 */
export function planRetention(options: PlanRetentionOptions): RetentionDecision[] {
  const { olderThanMs, inUse, now } = options;
  const sets = options.sets.toSorted(newestFirst);
  const newest = sets[0];
  const newestVerified = sets.find(({ verifiedAt }) => verifiedAt !== null);
  const referenceMs = Math.min(now.getTime(), newest?.startedAt.getTime() ?? 0);
  const byRule = reasonsByRule(sets, options.keep);

  return sets.map((set) => {
    const { id, startedAt } = set;
    const reasons = [...(byRule.get(id) ?? [])];
    if (olderThanMs !== undefined && referenceMs - startedAt.getTime() <= olderThanMs) reasons.push('young');
    if (set === newest) reasons.push('newest');
    if (set === newestVerified) reasons.push('newest verified');
    const use = inUse?.get(id);
    if (use !== undefined) reasons.push(use);
    return reasons.length > 0
      ? { id, action: 'keep', reasons }
      : { id, action: 'remove', reasons: ['no rule keeps it'] };
  });
}

function reasonsByRule(sets: readonly RetainedSet[], keep: KeepRules): Map<string, string[]> {
  const reasons = new Map<string, string[]>(sets.map(({ id }) => [id, []]));
  const last = keep.last ?? 0;
  for (const { id } of sets.slice(0, last)) reasons.get(id)?.push(`last ${last}`);
  for (const [rule, periodOf] of calendarRules) {
    for (const [id, reason] of keptByCalendar(sets, rule, periodOf, keep[rule] ?? 0)) {
      reasons.get(id)?.push(reason);
    }
  }
  return reasons;
}

function* keptByCalendar(
  sets: readonly RetainedSet[],
  rule: CalendarRule,
  periodOf: (time: Date) => string,
  count: number,
): Generator<[id: string, reason: string]> {
  let left = count;
  let latest: string | undefined;
  for (const [index, { id, startedAt }] of sets.entries()) {
    if (left === 0) return;
    const period = periodOf(startedAt);
    if (period !== latest) yield [id, `${rule} ${period}`];
    else if (index === sets.length - 1) yield [id, `oldest, while ${rule} has room`];
    else continue;
    latest = period;
    left -= 1;
  }
}

/** By what the manifests say; two of the same moment by id. */
function newestFirst(left: RetainedSet, right: RetainedSet): number {
  const byTime = right.startedAt.getTime() - left.startedAt.getTime();
  if (byTime !== 0) return byTime;
  return left.id < right.id ? 1 : -1;
}
