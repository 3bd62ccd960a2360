import { sql } from 'kysely';
import { countOf } from '../../count-of.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** Of no message it is unknown whether it has left. */
export const checkUnknownDeliveries: DoctorCheck = {
  name: 'unknown-deliveries',
  needs: 'identity',
  async run({ openDatabase }) {
    const { rows } = await sql<{ id: number; count: number }>`
      select min(t.id) as id, count(*) as count
        from tend.tasks t
       where t.state = 'held' and t.kind = 'send-mail'
         and exists (select from tend.deliveries d where d.task_id = t.id and d.state in ('unknown', 'committing'))`.execute(
      await openDatabase(),
    );
    const [{ id, count } = { id: 0, count: 0 }] = rows;
    if (count === 0) return { status: 'ok', text: 'of every message it is known whether it has left' };
    return {
      status: 'warn',
      text: `${countOf(count, 'message')} may have left or not${count === 1 ? ':' : ', the first of them'} task ${id}`,
      fix: `The server's log knows: tend tasks show ${id}, then tend tasks resolve ${id} --sent or --resend`,
    };
  },
};
