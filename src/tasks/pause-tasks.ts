import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { shellWord } from '../shell-word.ts';

/** Kinds or queues of which nothing is claimed, on any host. */
export interface Paused {
  scope: 'kind' | 'queue';
  name: string;
}

export interface Pause extends Paused {
  reason: string | null;
  pausedAt: Date;
  pausedBy: string;
  /** Waiting tasks it keeps back that are due. */
  due: number;
}

/** The command that ends a pause. */
export function resumeCommand({ scope, name }: Paused): string {
  return `tend tasks resume --${scope} ${shellWord(name)}`;
}

/**
 * Keeps workers from claiming tasks of these kinds and queues; what runs goes on. Repeating it keeps the first pause with
 * who made it, so that its age stays true.
 *
 * @returns those that were not paused before.
 */
export async function pauseTasks(options: {
  db: Kysely<Database>;
  paused: readonly Paused[];
  reason: string | undefined;
  by: string;
}): Promise<Paused[]> {
  const { db, paused, reason = null, by } = options;
  if (paused.length === 0) return [];
  return await db
    .insertInto('tend.pauses')
    .values(paused.map(({ scope, name }) => ({ scope, name, reason, paused_by: by })))
    .onConflict((conflict) => conflict.columns(['scope', 'name']).doNothing())
    .returning(['scope', 'name'])
    .execute();
}

/** Lets workers claim them again, from their next claim on. Returns those that were paused. */
export async function resumeTasks(options: {
  db: Kysely<Database>;
  paused: readonly Paused[];
}): Promise<Paused[]> {
  const { rows } = await sql<Paused>`
    delete from tend.pauses p using jsonb_to_recordset(${JSON.stringify(options.paused)}::jsonb) as g (scope text, name text)
     where p.scope = g.scope and p.name = g.name
    returning p.scope, p.name`.execute(options.db);
  return rows;
}

/** Every pause, oldest first. */
export async function findPauses(options: { db: Kysely<Database> }): Promise<Pause[]> {
  const { rows } = await sql<Pause>`
    select p.scope, p.name, p.reason, p.paused_at as "pausedAt", p.paused_by as "pausedBy",
           (select count(*) from tend.tasks t
             where t.state = 'waiting' and t.run_at <= now()
               and p.name = case p.scope when 'kind' then t.kind else t.queue end)::integer as due
      from tend.pauses p order by p.paused_at, p.scope, p.name`.execute(options.db);
  return rows;
}
