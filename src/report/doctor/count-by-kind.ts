import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';

/** Sets of tasks that need a look; each uses an index of its own. */
const conditions = {
  held: sql`state = 'held'`,
  'failed in the last day': sql`state = 'failed' and finished_at > now() - interval '1 day'`,
  'missed in the last day': sql`state = 'missed' and finished_at > now() - interval '1 day' and starts_with(reason, 'missed')`,
  'due of unknown kind': sql`state = 'waiting' and run_at <= now()
    and not exists (select from tend.kinds k where k.kind = t.kind)`,
} as const satisfies Record<string, RawBuilder<unknown>>;

export interface CountOfKind {
  /** The kind; of a missed occurrence the schedule. */
  name: string;
  count: number;
}

/** How many tasks of such a set there are of each kind, the most first. */
export async function countByKind(options: {
  db: Kysely<Database>;
  which: keyof typeof conditions;
}): Promise<CountOfKind[]> {
  const { db, which } = options;
  const name = which === 'missed in the last day' ? sql`coalesce(t.schedule, t.kind)` : sql`t.kind`;
  const { rows } = await sql<CountOfKind>`
    select ${name} as name, count(*) as count from tend.tasks t where ${conditions[which]}
     group by 1 order by 2 desc, 1`.execute(db);
  return rows;
}

const shown = 5;

/** `7 (4 send-mail, 3 backup)`. */
export function describeCounts(counts: readonly CountOfKind[]): string {
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const parts = counts.slice(0, shown).map(({ name, count }) => `${count} ${name}`);
  if (counts.length > shown) parts.push(`${counts.length - shown} more`);
  return `${total} (${parts.join(', ')})`;
}
