import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { isConnectionLoss } from '../database/translate-database-error.ts';
import { toError } from '../errors.ts';
import type { Log } from '../log.ts';
import { noOccurrences, type ScheduledOccurrences } from '../tasks/run-tick.ts';
import { findDueSchedules } from './find-due-schedules.ts';
import { planOccurrences } from './plan-occurrences.ts';
import { type ScheduleToWrite, type WrittenOccurrences, writeOccurrences } from './write-occurrences.ts';

const batch = 200;

/**
 * Enqueues every occurrence that is due and plans what no tick has planned yet. A schedule that cannot be planned or
 * enqueued is reported, on its row and in the log, and holds up no other.
 *
 * @param options.now the database's clock when the tick began.
 */
export async function materialiseOccurrences(options: {
  db: Kysely<Database>;
  now: Date;
  log: Log;
}): Promise<ScheduledOccurrences> {
  const { db, now, log } = options;
  const total = { ...noOccurrences };
  for (;;) {
    const due = await findDueSchedules({ db, limit: batch });
    const toWrite: ScheduleToWrite[] = [];
    for (const schedule of due) {
      const plan = planOccurrences(schedule, { now });
      if ('problem' in plan) await setAside({ db, log, name: schedule.name, problem: plan.problem });
      else toWrite.push({ schedule, plan });
    }
    const written = toWrite.length === 0 ? [] : await write({ db, log, schedules: toWrite });
    for (const schedule of written) add(total, schedule, log);
    // A full batch that moved nothing on would be met again and again.
    if (due.length < batch || written.length === 0) return total;
  }
}

function add(total: ScheduledOccurrences, written: WrittenOccurrences, log: Log): void {
  const { name, enqueued, skipped, superseded, missed } = written;
  total.enqueued += enqueued;
  total.skipped += skipped;
  total.superseded += superseded;
  total.missed += missed;
  if (skipped > 0) log.info(`Schedule "${name}": an occurrence is left out, the one before is not over yet.`);
  if (missed > 0) log.warn(`Schedule "${name}" has missed occurrences: tend schedules show ${name}`);
}

async function write(options: {
  db: Kysely<Database>;
  log: Log;
  schedules: readonly ScheduleToWrite[];
}): Promise<WrittenOccurrences[]> {
  const { db, log, schedules } = options;
  try {
    return await writeOccurrences({ db, schedules });
  } catch (error) {
    if (isConnectionLoss(error)) throw error;
    const [single, another] = schedules;
    if (another === undefined && single !== undefined) {
      const { name } = single.schedule;
      await noteProblem({ db, log, name, problem: toError(error).message });
      return [];
    }
  }
  const written: WrittenOccurrences[] = [];
  for (const schedule of schedules) written.push(...(await write({ db, log, schedules: [schedule] })));
  return written;
}

interface Problem {
  db: Kysely<Database>;
  log: Log;
  name: string;
  problem: string;
}

/** What cannot be read stays so until somebody writes it anew: no tick looks at it before. */
async function setAside(problem: Problem): Promise<void> {
  await noteProblem(problem);
  await sql`update tend.schedules set next_slot = 'infinity' where name = ${problem.name}`.execute(
    problem.db,
  );
}

/** The next tick tries again. */
async function noteProblem({ db, log, name, problem }: Problem): Promise<void> {
  log.warn(`Schedule "${name}" cannot be planned: ${problem}`);
  await sql`update tend.schedules set problem = ${problem} where name = ${name}`.execute(db);
}
