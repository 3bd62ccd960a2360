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
}

/** The text format of Prometheus, all gauges. A metric whose value is not known is left out. */
export function formatMetrics(options: { queue: QueueMetrics; now: Date; exitCode: number }): string {
  const { queue, now, exitCode } = options;
  const metrics: [name: string, help: string, value: number | null][] = [
    ['last_tick_timestamp_seconds', 'When the last tick of this host ended.', now.getTime() / 1000],
    ['last_tick_exit_code', 'Exit code of that tick.', exitCode],
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
    ['schema_version', 'Version of the schema tend.', queue.schemaVersion],
  ];
  return metrics
    .flatMap(([name, help, value]) =>
      value === null
        ? []
        : [`# HELP tend_${name} ${help}`, `# TYPE tend_${name} gauge`, `tend_${name} ${value}`, ''],
    )
    .filter((line) => line !== '')
    .concat('')
    .join('\n');
}
