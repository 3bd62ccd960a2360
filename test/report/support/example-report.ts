import type { Status } from '../../../src/report/find-status.ts';
import type { History } from '../../../src/report/history/find-history.ts';
import { exampleStatus } from './example-status.ts';

const now = new Date('2026-11-28T06:20:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const days = Array.from({ length: 14 }, (_, index) =>
  ago((13 - index) * day)
    .toISOString()
    .slice(0, 10),
);
/** Numbers that look like chance and are the same in every run. */
const noise = (index: number, spread: number) => Math.round((Math.sin(index * 12.9898) * 0.5 + 0.5) * spread);

/** A site with some of everything on its page, and a leak of connections. */
export function exampleReport(): { status: Status; history: History } {
  return { status: busyStatus(), history: busyHistory() };
}

function busyStatus(): Status {
  const mark = (ageMs: number) => ({ id: '20261128T023000Z-3fa9', finishedAt: ago(ageMs), ageMs });
  const ticked = (host: string, ageMs: number, lastOutcome: string) => ({
    ...{ host, lastTickAt: ago(ageMs), lastTickAgeMs: ageMs, firstSeenAt: ago(90 * day), ticks: 100_000 },
    ...{ lastBusyAt: ago(ageMs + minute), lastOutcome, running: 1 },
  });
  return exampleStatus({
    ...{ checkedAt: now, database: 'cms', isOk: false },
    problems: [
      '2 held: a person must decide',
      'mail server "relay" fails for 42 m: connect ECONNREFUSED 10.0.0.25:587',
      '83 of 100 connections are taken',
    ],
    alerts: [
      {
        ...{ kind: 'backup', schedule: 'nightly', host: null, brokenSince: ago(3 * day), brokenMs: 3 * day },
        ...{ failures: 3, lastFailedAt: ago(4 * hour), lastTask: 4711, recoveredAt: null },
        ...{ lastMailedAt: ago(4 * hour), remindsAt: ago(-20 * hour), mailTask: 4712 },
        ...{ mailState: 'succeeded', mailProblem: null, isUntold: false },
      },
      {
        ...{ kind: 'resize-images', schedule: null, host: 'web2', brokenSince: ago(hour), brokenMs: hour },
        ...{ failures: 12, lastFailedAt: ago(2 * minute), lastTask: 4803, recoveredAt: null },
        ...{ lastMailedAt: ago(hour), remindsAt: ago(-23 * hour), mailTask: 4799, mailState: 'waiting' },
        ...{ mailProblem: 'mail server "relay": connect ECONNREFUSED 10.0.0.25:587', isUntold: true },
      },
      {
        ...{ kind: 'http', schedule: 'prices', host: null, brokenSince: ago(9 * hour), brokenMs: 9 * hour },
        ...{ failures: 2, lastFailedAt: ago(8 * hour), lastTask: 4650, recoveredAt: ago(7 * hour) },
        ...{ lastMailedAt: null, remindsAt: null, mailTask: null, mailState: null, mailProblem: null },
        isUntold: false,
      },
    ],
    hosts: [ticked('web1', 14_000, '3 succeeded'), ticked('web2', 31_000, '1 succeeded, 1 failed')],
    tasks: {
      ...{ due: 3, running: 2, held: 2, failedLastDay: 1, missedLastDay: 0 },
      ...{ oldestDueAt: ago(2 * minute), oldestDueAgeMs: 2 * minute },
    },
    schedules: [
      schedule('nightly-backup', '30 2 * * *', 'backup'),
      schedule('newsletter', '0 9 * * 1-5', 'send-newsletter'),
      schedule('restore-drill', '0 5 * * 0', 'verify-backup'),
      schedule('sync-catalogue', '15 */4 * * *', 'http'),
    ],
    backups: {
      ...{ count: 9, lastGood: mark(4 * hour), lastVerified: mark(2 * day), sizes: [1, 2, 3] },
      ...{ lastRestoreTest: null, recoveryMs: 20 * minute, isScheduled: true, installedMs: 90 * day },
      newest: {
        ...{ id: '20261128T023000Z-3fa9', host: 'web1', finishedAt: ago(4 * hour), ageMs: 4 * hour },
        ...{ bytes: 1.34e9, databaseBytes: 6e9, verifiedAt: null, verifiedAgeMs: null, verifiedBy: null },
        ...{ restoreTestedAt: null, restoreTestAgeMs: null, restoreMs: null, verifyError: null },
      },
    },
    mail: {
      ...{ waiting: 12, deferred: 4, held: 2, unknown: 1 },
      failingServers: [
        {
          ...{ name: 'relay', failingSince: ago(42 * minute), failingMs: 42 * minute, failures: 9 },
          ...{ failureClass: 'server', reason: 'connect ECONNREFUSED 10.0.0.25:587', retryAt: ago(-minute) },
        },
      ],
    },
    sessions: { ofTend: 1, total: 83, maxConnections: 100 },
  });
}

function schedule(name: string, cron: string, kind: string): Status['schedules'][number] {
  return {
    ...{ name, cron, kind, source: 'config', declaredBy: ['web1'], timezone: 'Europe/Warsaw', host: null },
    ...{ isEnabled: true, disabledReason: null, isLate: false, problem: null, conflict: null },
    ...{ nextSlot: ago(-5 * hour), lastSlot: ago(5 * hour), lastTask: 4711, lastState: 'succeeded' },
    lastFinishedAt: ago(4 * hour),
  };
}

function busyHistory(): History {
  const durationsOf = (base: number) =>
    days.map((day, index) => {
      if (index === 5) return { day, medianMs: null, longestMs: null };
      const medianMs = base + noise(index, base / 3);
      return { day, medianMs, longestMs: medianMs * 1.2 + noise(index * 7, base) };
    });
  return {
    outcomes: days.map((day, index) => ({
      ...{ day, succeeded: 900 + noise(index, 500), failed: index === 9 ? 240 : noise(index * 3, 20) },
      ...{ missed: index === 4 ? 130 : 0, cancelled: noise(index * 5, 15) },
    })),
    durations: [
      { kind: 'backup', attempts: 14, days: durationsOf(8 * minute) },
      { kind: 'resize-images', attempts: 8123, days: durationsOf(1400) },
      { kind: 'send-mail', attempts: 4410, days: durationsOf(180) },
    ],
    backups: Array.from({ length: 24 }, (_, index) => ({
      ...{ id: `2026-${index}`, finishedAt: ago((24 - index) * day), isRemoved: index < 15 },
      ...{ durationMs: 7 * minute + noise(index, 2 * minute), bytes: 1e9 + index * 14e6 + noise(index, 2e7) },
    })),
    connections: Array.from({ length: 48 }, (_, index) => ({
      at: ago((47 - index) * 30 * minute),
      total: index === 20 || index === 21 ? null : 14 + Math.round(index * 1.45) + noise(index, 4),
      idleInTransaction: index === 20 || index === 21 ? null : Math.round(index * 1.2),
    })),
    mail: days.map((day, index) => ({
      ...{ day, sent: 300 + noise(index, 200), partlySent: noise(index, 6) },
      ...{ refused: noise(index * 2, 25), unknown: index === 12 ? 2 : 0 },
    })),
    occurrences: Array.from({ length: 26 }, (_, index) => ({
      hour: ago(20 * minute + index * 3 * hour),
      ...(index === 7 ? { good: 0, bad: 1 } : { good: 1 + noise(index, 3), bad: 0 }),
    })),
  };
}
