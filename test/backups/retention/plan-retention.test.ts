import { describe, expect, it } from 'vitest';
import { isRetentionConfigured, type KeepRules } from '../../../src/backups/retention/keep-rules.ts';
import { planRetention, type RetainedSet } from '../../../src/backups/retention/plan-retention.ts';
import { zoneOffset } from '../../../src/schedules/zone-offset.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const hour = 3_600_000;
const day = 24 * hour;
const now = new Date('2026-11-24T12:00:00Z');

function setAt(time: string | number, verifiedAt: Date | null = null): RetainedSet {
  const startedAt = new Date(time);
  return { id: startedAt.toISOString(), startedAt, verifiedAt };
}

/** The ids that stay, newest first. */
function keptOf(
  sets: RetainedSet[],
  keep: KeepRules,
  rest: Partial<Parameters<typeof planRetention>[0]> = {},
) {
  return planRetention({ sets, keep, now, ...rest })
    .filter(({ action }) => action === 'keep')
    .map(({ id }) => id);
}

function reasonsOf(
  sets: RetainedSet[],
  keep: KeepRules,
  rest: Partial<Parameters<typeof planRetention>[0]> = {},
) {
  return planRetention({ sets, keep, now, ...rest }).map(({ id, action, reasons }) => [
    `${id.slice(0, 13)} ${action}`,
    reasons.join(', '),
  ]);
}

/** Two a day, newest 2026-11-24 at 10 h. */
const twiceDaily = Array.from({ length: 12 }, (_, index) =>
  setAt(Date.parse('2026-11-24T10:00:00Z') - index * 12 * hour),
);

describe('what stays, and why', () => {
  it.each<{ title: string; keep: KeepRules; expected: string[][] }>([
    {
      title: 'last counts sets',
      keep: { last: 2 },
      expected: [
        ['2026-11-24T10 keep', 'last 2, newest'],
        ['2026-11-23T22 keep', 'last 2'],
        ['2026-11-23T10 remove', 'no rule keeps it'],
      ],
    },
    {
      title: 'daily keeps the newest of a day',
      keep: { daily: 2 },
      expected: [
        ['2026-11-24T10 keep', 'daily 2026-11-24, newest'],
        ['2026-11-23T22 keep', 'daily 2026-11-23'],
        ['2026-11-23T10 remove', 'no rule keeps it'],
      ],
    },
    {
      title: 'weekly keeps the newest of an ISO week, which begins on Monday',
      keep: { weekly: 2 },
      expected: [
        ['2026-11-24T10 keep', 'weekly 2026-W48, newest'],
        ['2026-11-23T22 remove', 'no rule keeps it'],
        ['2026-11-23T10 remove', 'no rule keeps it'],
        ['2026-11-22T22 keep', 'weekly 2026-W47'],
      ],
    },
    {
      title: 'monthly keeps the newest of a month',
      keep: { monthly: 1 },
      expected: [
        ['2026-11-24T10 keep', 'monthly 2026-11, newest'],
        ['2026-11-23T22 remove', 'no rule keeps it'],
      ],
    },
    {
      title: 'one set may have several reasons',
      keep: { last: 1, daily: 1, weekly: 1, monthly: 1 },
      expected: [
        ['2026-11-24T10 keep', 'last 1, daily 2026-11-24, weekly 2026-W48, monthly 2026-11, newest'],
        ['2026-11-23T22 remove', 'no rule keeps it'],
      ],
    },
  ])('$title', ({ keep, expected }) => {
    expect(reasonsOf(twiceDaily, keep).slice(0, expected.length)).toEqual(expected);
  });

  it('a rule that is not used up keeps the oldest set, so that the history is as long as it can be', () => {
    const sets = twiceDaily.slice(0, 5);
    expect(reasonsOf(sets, { monthly: 2 }).at(-1)).toEqual([
      '2026-11-22T10 keep',
      'oldest, while monthly has room',
    ]);
    expect(keptOf(sets, { monthly: 2 })).toHaveLength(2);
  });

  it('ISO weeks at the turn of a year: 29 December 2025 is in 2026, 1 January 2027 in 2026 too', () => {
    const sets = [setAt('2027-01-01T10:00Z'), setAt('2025-12-29T10:00Z'), setAt('2025-12-28T10:00Z')];
    expect(
      reasonsOf(sets, { weekly: 9 }, { now: new Date('2027-01-02') }).map(([, reasons]) => reasons),
    ).toEqual(['weekly 2026-W53, newest', 'weekly 2026-W01', 'weekly 2025-W52']);
  });

  it('fewer sets than asked for all stay', () => {
    const sets = twiceDaily.slice(0, 3);
    expect(keptOf(sets, { last: 5 })).toHaveLength(3);
    expect(planRetention({ sets: [], keep: { last: 5 }, now })).toEqual([]);
  });

  it('a gap uses up no count', () => {
    const sets = ['2026-11-24', '2026-11-03', '2026-07-01', '2025-01-15', '2024-01-01'].map((date) =>
      setAt(date),
    );
    expect(keptOf(sets, { daily: 4 }).map((id) => id.slice(0, 10))).toEqual([
      '2026-11-24',
      '2026-11-03',
      '2026-07-01',
      '2025-01-15',
    ]);
  });

  it('the newest set and the newest verified one stay whatever the rules say', () => {
    const sets = twiceDaily.map((set, index) => ({ ...set, verifiedAt: index < 4 ? null : now }));
    expect(reasonsOf(sets, { last: 1 }).filter(([set]) => set?.endsWith('keep'))).toEqual([
      ['2026-11-24T10 keep', 'last 1, newest'],
      ['2026-11-22T10 keep', 'newest verified'],
    ]);
  });

  it('a set in use stays, and says what uses it', () => {
    const inUse = new Map([[twiceDaily[7]?.id ?? '', 'task 42 (restore) needs it']]);
    expect(reasonsOf(twiceDaily, { last: 1 }, { inUse })[7]).toEqual([
      '2026-11-20T22 keep',
      'task 42 (restore) needs it',
    ]);
  });
});

describe('age', () => {
  it('is counted from the newest set: a month without backups removes nothing that was not old before', () => {
    const later = new Date(now.getTime() + 60 * day);
    expect(keptOf(twiceDaily, {}, { olderThanMs: 2 * day, now: later })).toEqual(
      keptOf(twiceDaily, {}, { olderThanMs: 2 * day }),
    );
    expect(keptOf(twiceDaily, {}, { olderThanMs: 2 * day })).toHaveLength(5);
  });

  it('a set from the future does not make the others old', () => {
    const sets = [setAt('2099-01-01T00:00Z'), ...twiceDaily];
    expect(keptOf(sets, {}, { olderThanMs: 30 * day })).toHaveLength(sets.length);
  });

  it('keeps besides what the rules keep, and never removes what they keep', () => {
    expect(keptOf(twiceDaily, { last: 8 }, { olderThanMs: hour })).toHaveLength(8);
    expect(keptOf(twiceDaily, { last: 1 }, { olderThanMs: 2 * day })).toHaveLength(5);
  });
});

it('rules that keep nothing count as none', () => {
  expect([{}, { last: 0 }, { daily: 0, last: 1 }].map(isRetentionConfigured)).toEqual([
    ...[false, false, true],
  ]);
});

describe('two years of hourly backups in local time, with gaps, and a clock that went backwards', () => {
  const timezone = 'Europe/Warsaw';
  const random = seededRandom(20261124);
  const sets = hourly();

  /** At every full hour of the zone's clocks, but for one in twenty, three weeks of silence, and a clock set back. */
  function hourly(): RetainedSet[] {
    const made: RetainedSet[] = [];
    for (let at = now.getTime() - 730 * day; at < now.getTime(); at += hour) {
      const isSilent = at > Date.parse('2026-02-01') && at < Date.parse('2026-02-22');
      if (isSilent || random() < 0.05) continue;
      const isSetBack = at > Date.parse('2026-06-01') && at < Date.parse('2026-06-03');
      const startedAt = new Date((isSetBack ? at - 40 * day : at) + (zoneOffset(timezone, at) % hour));
      made.push({ id: `${made.length}`, startedAt, verifiedAt: random() < 0.01 ? now : null });
    }
    return made.sort(() => random() - 0.5);
  }

  /** The same rules written the other way round: group by period, then take the newest of each. */
  function expectedBy(keep: KeepRules): Set<string> {
    const byTime = sets.toSorted(
      (left, right) => right.startedAt.getTime() - left.startedAt.getTime() || (left.id < right.id ? 1 : -1),
    );
    const kept = new Set(byTime.slice(0, keep.last ?? 0).map(({ id }) => id));
    const periods = {
      daily: (time: Date) => Math.floor(time.getTime() / day),
      weekly: (time: Date) => Math.floor((time.getTime() / day + 3) / 7),
      monthly: (time: Date) => time.getUTCFullYear() * 12 + time.getUTCMonth(),
    };
    for (const [rule, periodOf] of Object.entries(periods)) {
      const count = keep[rule as keyof typeof periods] ?? 0; // the keys are those of `periods`
      const newest = Map.groupBy(byTime, ({ startedAt }) => periodOf(startedAt));
      const groups = [...newest.values()];
      for (const [first] of groups.slice(0, count)) kept.add(first?.id ?? '');
      if (groups.length < count) kept.add(byTime.at(-1)?.id ?? '');
    }
    kept.add(byTime[0]?.id ?? '');
    kept.add(byTime.find(({ verifiedAt }) => verifiedAt !== null)?.id ?? '');
    return kept;
  }

  const rules: KeepRules[] = [
    ...[{ last: 3, daily: 7, weekly: 5, monthly: 12 }, { last: 48 }, { daily: 400 }, { daily: 5000 }],
    ...[{ weekly: 60 }, { weekly: 500, last: 1 }, { monthly: 6, daily: 31 }, { monthly: 100 }],
  ];

  it.each(rules)('%j keeps what it should, and the same again when asked again', (keep) => {
    const decisions = planRetention({ sets, keep, now });
    const kept = new Set(decisions.flatMap(({ id, action }) => (action === 'keep' ? [id] : [])));
    expect(kept).toEqual(expectedBy(keep));
    expect(decisions.every(({ reasons }) => reasons.length > 0)).toBe(true);
    const left = sets.filter(({ id }) => kept.has(id));
    expect(new Set(keptOf(left, keep))).toEqual(kept);
  });

  it('pruned after each backup, the history reaches back as far as the rules say', () => {
    const keep = { last: 3, daily: 7, weekly: 5, monthly: 12 };
    let left: RetainedSet[] = [];
    const inTime = sets.toSorted((one, other) => one.startedAt.getTime() - other.startedAt.getTime());
    for (const set of inTime.filter((_, index) => index % 5 === 0)) {
      left.push({ ...set, verifiedAt: null });
      const kept = new Set(keptOf(left, keep, { now: set.startedAt }));
      left = left.filter(({ id }) => kept.has(id));
      expect(left.length).toBeLessThanOrEqual(27);
    }
    const months = new Set(left.map(({ startedAt }) => startedAt.toISOString().slice(0, 7)));
    expect(months.size).toBe(12);
    expect(left.length).toBeGreaterThan(17);
  });
});
