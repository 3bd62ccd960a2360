import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** A kind or a queue that is not claimed from until a person resumes it. */
export interface PauseState {
  scope: 'kind' | 'queue';
  name: string;
  reason: string | null;
  pausedAt: Date;
  pausedBy: string;
  /** Tasks that would run if it were not for the pause alone. */
  due: number;
}

/** Every pause, kinds first. */
export async function findPauses(db: Kysely<Database>): Promise<PauseState[]> {
  const { rows } = await sql<PauseState>`
    select p.scope, p.name, p.reason, p.paused_at as "pausedAt", p.paused_by as "pausedBy", w.due
      from tend.pauses p,
           lateral (select count(*) as due from tend.tasks t
                     where t.state = 'waiting' and t.run_at <= now()
                       and case p.scope when 'kind' then t.kind else t.queue end = p.name) w
     order by p.scope, p.name`.execute(db);
  return rows;
}
