import { chmod, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import type { SessionPool } from '../database/session-pool.ts';
import { formatQueue, formatTick, type QueueMetrics, queueIn } from './format-metrics.ts';

/** Less than a minute, so that a tick every minute that came a little early still writes. */
const freshMs = 50_000;

/**
 * One statement that reads what waits, runs or is held, and no history: deliveries of unknown fate are looked up by the
 * tasks that are held for them, since a table of a million old ones has no index on their state.
 */
const statement = `
  select h.due, h.running, h.held, h.failed_last_day as "failedLastDay", h.missed_last_day as "missedLastDay",
         case when h.due > 0 then extract(epoch from h.checked_at - h.next_due_at)::float8 end as "oldestDueSeconds",
         (select schema_version from tend.meta) as "schemaVersion",
         extract(epoch from b.finished_at)::float8 as "backupAt", b.bytes::float8 as "backupBytes",
         extract(epoch from b.finished_at - b.started_at)::float8 as "backupSeconds",
         extract(epoch from b.verified_at)::float8 as "backupVerifiedAt",
         (select count(*)::int from tend.tasks where kind = 'send-mail' and state = 'waiting') as "mailWaiting",
         (select count(*)::int from tend.tasks t join tend.deliveries d on d.task_id = t.id
           where t.state = 'held' and d.state in ('committing', 'unknown')) as "mailUnknown",
         (select count(*)::int from tend.alerts where phase = 'broken') as "brokenKinds"
    from tend.health h
    left join (select * from tend.backups where removed_at is null order by finished_at desc limit 1) b on true`;

export interface WriteMetricsOptions {
  /** Absolute path, `*.prom` in the directory of node_exporter's textfile collector. */
  path: string;
  /** Undefined where the queue cannot be asked: what the file says of it stays, with the time of then. */
  sessions: SessionPool | undefined;
  now: Date;
  exitCode: number;
}

/**
 * Writes what this tick and the queue can tell: readable by everybody, by renaming, so that a scrape never reads half a
 * file. A tick with exit code 0 leaves a file younger than 50 s as it is. Errors of the file system and the database pass
 * through.
 */
export async function writeMetrics(options: WriteMetricsOptions): Promise<void> {
  const { path, sessions, now, exitCode } = options;
  if (exitCode === 0 && (await isFresh(path, now))) return;
  const queue = sessions === undefined ? await oldQueue(path) : await readQueue(sessions, now);
  // The collector reads *.prom only: what a killed tick leaves is never scraped.
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, formatTick({ now, exitCode }) + queue, { mode: 0o644 });
    await chmod(temporary, 0o644); // whatever the umask: the collector is another user
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function isFresh(path: string, now: Date): Promise<boolean> {
  const writtenMs = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => Number.NEGATIVE_INFINITY,
  );
  const ageMs = now.getTime() - writtenMs;
  return ageMs >= 0 && ageMs < freshMs;
}

async function readQueue(sessions: SessionPool, now: Date): Promise<string> {
  const [queue] = await sessions.query<QueueMetrics>(statement, []);
  if (queue === undefined) throw new Error('tend.health has no row.');
  return formatQueue({ queue, now });
}

async function oldQueue(path: string): Promise<string> {
  return queueIn(await readFile(path, 'utf8').catch(() => ''));
}
