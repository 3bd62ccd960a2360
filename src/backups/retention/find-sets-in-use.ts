import { basename } from 'node:path';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { remoteSource } from '../remotes/remote-source.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import { isUnprepared } from '../sets/record-backup.ts';

interface UnfinishedUse {
  id: number;
  kind: string;
  state: string;
  /** An id, `latest`, either of them in a remote, a path, or null for the newest. */
  source: string | null;
  startedAt: Date | null;
  /** The live one, whose newest set `latest` is to a restore. */
  database: string;
}

/**
 * The sets that unfinished tasks restore, verify or copy to a remote, with the task for a reason. `latest` means the
 * newest set to a task only when it starts: while it runs, what was the newest then. A set in use in one place stays in
 * all of them: should that copy prove bad, the other is needed next.
 */
export async function findSetsInUse(options: {
  db: Kysely<Database>;
  sets: readonly BackupSet[];
}): Promise<Map<string, string>> {
  const { db, sets } = options;
  const inUse = new Map<string, string>();
  for (const { id, kind, state, source, startedAt, database } of await findUses(db)) {
    const wanted = remoteSource(source ?? 'latest')?.id ?? basename(source ?? 'latest');
    const isLatest = wanted === 'latest';
    if (isLatest && state !== 'running') continue;
    const used = isLatest
      ? newestOf(
          sets.filter(({ manifest }) => new Date(manifest.finishedAt) <= (startedAt ?? new Date(0))),
          kind === 'restore' ? database : undefined,
        )
      : sets.find((set) => set.id === wanted);
    if (used !== undefined) inUse.set(used.id, `${state} task ${id} (${kind}) needs it`);
  }
  return inUse;
}

/** As a restore finds it: of the database of that name where there is one. */
function newestOf(sets: readonly BackupSet[], database: string | undefined): BackupSet | undefined {
  return sets.find(({ manifest }) => manifest.database.name === database) ?? sets[0];
}

async function findUses(db: Kysely<Database>): Promise<UnfinishedUse[]> {
  try {
    const { rows } = await sql<UnfinishedUse>`
      select id, kind, state, coalesce(payload ->> 'source', payload ->> 'id') as source, started_at as "startedAt",
             current_database()::text as database
        from tend.tasks
       where kind in ('restore', 'verify-backup', 'push-backup') and state in ('waiting', 'running', 'held')`.execute(
      db,
    );
    return rows;
  } catch (error) {
    if (isUnprepared(error)) return [];
    throw error;
  }
}
