import type { Kysely } from 'kysely';
import { findHiddenSessions } from '../../activity/find-hidden-sessions.ts';
import { countOf } from '../../count-of.ts';
import type { Database } from '../../database/tables.ts';
import type { Finding } from './doctor-check.ts';

/**
 * What a check says that has found nothing wrong among the sessions it may look at: yellow where there are others, since
 * it cannot know then.
 */
export async function limitFinding(db: Kysely<Database>, text: string): Promise<Finding> {
  const { role, hidden } = await findHiddenSessions(db);
  if (hidden === 0) return { status: 'ok', text };
  return {
    status: 'warn',
    text: `limited: ${text}, as far as role "${role}" can see: of ${countOf(hidden, 'session')} of other roles state and transactions are hidden`,
    fix: `As a superuser: grant pg_read_all_stats to "${role.replaceAll('"', '""')}"`,
  };
}
