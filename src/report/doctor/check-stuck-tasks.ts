import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { formatDuration } from '../../duration.ts';
import type { DoctorCheck } from './doctor-check.ts';

interface StuckTasks {
  what: 'overdue' | 'expired';
  count: number;
  oldest: number;
  kind: string;
  ageMs: number;
}

/** No task is due for more than a quarter of an hour, and none runs under a lease that has ended. */
export const checkStuckTasks: DoctorCheck = {
  name: 'stuck-tasks',
  needs: 'identity',
  async run({ openDatabase }) {
    const stuck = await findStuckTasks(await openDatabase());
    const [first] = stuck;
    if (first === undefined) return { status: 'ok', text: 'none is due for long, no lease has ended' };
    const fix = `tend tasks explain ${first.oldest}`;
    return { status: 'fail', text: stuck.map(describe).join('; '), fix };
  },
};

function describe({ what, count, oldest, kind, ageMs }: StuckTasks): string {
  const since = `the oldest, ${oldest} (${kind}), since ${formatDuration(ageMs)}`;
  return what === 'overdue'
    ? `${count} due for more than 15 minutes, ${since}`
    : `${count} running under a lease that has ended, ${since}: no tick takes them back`;
}

async function findStuckTasks(db: Kysely<Database>): Promise<StuckTasks[]> {
  const { rows } = await sql<StuckTasks>`
    with stuck as (
      select 'overdue' as what, id, kind, run_at as since from tend.tasks
       where state = 'waiting' and run_at < now() - interval '15 minutes'
       union all
      select 'expired', id, kind, lease_until from tend.tasks where state = 'running' and lease_until < now()
    )
    select distinct on (what) what, count(*) over (partition by what) as count, id as oldest, kind,
           round(extract(epoch from now() - since) * 1000)::float8 as "ageMs"
      from stuck order by what desc, since, id`.execute(db);
  return rows;
}
