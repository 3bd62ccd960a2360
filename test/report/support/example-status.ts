import type { Status } from '../../../src/report/find-status.ts';

/** A status in which all is well, but for the changes. */
export function exampleStatus(changes: Partial<Status> = {}): Status {
  const checkedAt = new Date('2026-11-28T06:00:00Z');
  return {
    ...{ checkedAt, database: 'cms', copiedFrom: null, isOk: true, problems: [] },
    hosts: [
      {
        ...{ host: 'web1', lastTickAt: checkedAt, lastTickAgeMs: 1000, firstSeenAt: checkedAt, ticks: 1 },
        ...{ lastBusyAt: null, lastOutcome: null, running: 0 },
      },
    ],
    tasks: {
      ...{ due: 0, running: 0, held: 0, failedLastDay: 0, missedLastDay: 0 },
      ...{ oldestDueAt: null, oldestDueAgeMs: null },
    },
    ...{ schedules: [], pauses: [], alerts: [] },
    backups: {
      ...{ count: 0, newest: null, lastGood: null, lastVerified: null },
      ...{ sizes: [], lastRestoreTest: null, recoveryMs: null, isScheduled: false, installedMs: 0 },
    },
    mail: { waiting: 0, deferred: 0, held: 0, unknown: 0, failingServers: [] },
    translations: { catalogs: 0, failed: [] },
    sessions: { ofTend: 1, total: 5, maxConnections: 100 },
    ...changes,
  };
}
