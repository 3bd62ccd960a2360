import { sql } from 'kysely';
import type { DoctorCheck } from './doctor-check.ts';

/** The last backup that was tried was made. */
export const checkBackupTask: DoctorCheck = {
  name: 'backup-task',
  needs: 'identity',
  async run({ openDatabase }) {
    const { rows } = await sql<{ id: number; state: string; error: string | null }>`
      select id, state, coalesce(last_error, reason) as error from tend.tasks
       where kind = 'backup' and state in ('succeeded', 'failed', 'held', 'missed')
       order by coalesce(finished_at, created_at) desc, id desc limit 1`.execute(await openDatabase());
    const [last] = rows;
    if (last === undefined) return { status: 'ok', text: 'no task has taken a backup yet' };
    const { id, state, error } = last;
    if (state === 'succeeded') return { status: 'ok', text: `the last one, task ${id}, succeeded` };
    return {
      status: 'fail',
      text: `the last one, task ${id}, ${state === 'held' ? 'is held' : state}${error === null ? '' : `: ${error}`}`,
      fix: `tend tasks show ${id}`,
    };
  },
};
