/** What one statement tells of the queue; times in seconds, those of moments since 1970. */
export interface QueueMetrics {
  due: number;
  running: number;
  held: number;
  failedLastDay: number;
  missedLastDay: number;
  oldestDueSeconds: number | null;
  schemaVersion: number;
  backupAt: number | null;
  backupBytes: number | null;
  backupSeconds: number | null;
  backupVerifiedAt: number | null;
  mailWaiting: number;
  mailUnknown: number;
  brokenKinds: number;
}

type Gauge = [name: string, help: string, value: number | null];

/** Begins the part of the file that `formatQueue` writes. */
const queueGauge = 'queue_timestamp_seconds';

/** What a tick says of itself, whether it has reached the queue or not, in the text format of Prometheus. */
export function formatTick({ now, exitCode }: { now: Date; exitCode: number }): string {
  return format([
    ['last_tick_timestamp_seconds', 'When the last tick of this host ended.', now.getTime() / 1000],
    ['last_tick_exit_code', 'Exit code of that tick.', exitCode],
  ]);
}

/** The figures of the queue, and when they were true. A metric whose value is not known is left out. */
export function formatQueue({ queue, now }: { queue: QueueMetrics; now: Date }): string {
  return format([
    [queueGauge, 'When the figures of queue, backups and mail were read.', now.getTime() / 1000],
    ['tasks_due', 'Tasks that are due and not running.', queue.due],
    ['tasks_running', 'Tasks that are running on any host.', queue.running],
    ['tasks_held', 'Tasks that wait for a person.', queue.held],
    ['tasks_failed_last_day', 'Tasks that failed within a day.', queue.failedLastDay],
    ['tasks_missed_last_day', 'Tasks that were missed within a day.', queue.missedLastDay],
    ['oldest_due_age_seconds', 'How long the first due task has been due.', queue.oldestDueSeconds ?? 0],
    ['backup_last_success_timestamp_seconds', 'When the newest backup was complete.', queue.backupAt],
    ['backup_last_size_bytes', 'Size of the newest backup.', queue.backupBytes],
    ['backup_last_duration_seconds', 'How long the newest backup took.', queue.backupSeconds],
    [
      'backup_last_verified_timestamp_seconds',
      'When the newest backup was verified.',
      queue.backupVerifiedAt,
    ],
    ['mail_waiting', 'Messages that wait to be sent.', queue.mailWaiting],
    ['mail_unknown', 'Messages of which nobody knows whether they were sent.', queue.mailUnknown],
    [
      'broken_kinds',
      'Kinds of tasks, by schedule and host, whose last task failed or is held.',
      queue.brokenKinds,
    ],
    ['schema_version', 'Version of the schema tend.', queue.schemaVersion],
  ]);
}

/** The figures of the queue in a file that was written before, with the time of then; nothing where it has none. */
export function queueIn(text: string): string {
  const place = text.indexOf(`# HELP tend_${queueGauge} `);
  return place < 0 ? '' : text.slice(place);
}

function format(gauges: readonly Gauge[]): string {
  return gauges
    .filter(([, , value]) => value !== null)
    .map(
      ([name, help, value]) =>
        `# HELP tend_${name} ${help}\n# TYPE tend_${name} gauge\ntend_${name} ${value}\n`,
    )
    .join('');
}
