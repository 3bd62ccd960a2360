import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { companionDatabase } from '../sets/backup-id.ts';
import { wasReplaced } from '../within/witness.ts';
import { stateOfCutOver } from './cut-over.ts';
import { findMarkedDatabases, type MarkedDatabase } from './find-marked-databases.ts';
import { findRestores, type RestoreFacts, type RestoreRecord } from './find-restores.ts';

/** A restore that did not come to its end. Whether its process is still at it is not known here. */
export interface UnfinishedRestore {
  facts: RestoreFacts;
  /** Undefined where the journal is on another host, or lost: then only the mark on the kept database tells of it. */
  record: RestoreRecord | undefined;
  /** Whether the live database was replaced: then somebody must finish it or take it back. */
  hasCutOver: boolean;
  /** Whether it was on its way back. */
  isGoingBack: boolean;
}

/**
 * The restores of a database that did not come to their end, those that have replaced the live database first. The
 * journals tell of them, and the names and marks of the databases, seen from any session of the server, how far each is.
 */
export async function findUnfinishedRestores(options: {
  db: Kysely<Database>;
  database: string;
  directory: string;
  /** A session of the database itself, which tells whether a restore in place was committed. */
  live: Kysely<Database>;
}): Promise<UnfinishedRestore[]> {
  const records = await findRestores(options);
  const found: UnfinishedRestore[] = [];
  for (const record of records) {
    if (hasEnded(record)) continue;
    const { facts } = record;
    found.push({
      facts,
      record,
      hasCutOver: await hasCutOver(options, record),
      isGoingBack: isGoingBack(record),
    });
  }
  const known = new Set(records.map(({ facts }) => facts.id));
  for (const marked of await findMarkedDatabases(options.db, options.database)) {
    const { mark } = marked;
    if (mark.kind !== 'kept' || mark.hasEnded || known.has(mark.id)) continue;
    const facts = factsOfMarked(marked);
    found.push({ facts, record: undefined, hasCutOver: true, isGoingBack: false });
  }
  return found.sort((left, right) => Number(right.hasCutOver) - Number(left.hasCutOver));
}

export function hasEnded({ phase }: RestoreRecord): boolean {
  return phase === 'finished' || phase === 'undone';
}

function isGoingBack({ phase }: RestoreRecord): boolean {
  return phase === 'putting-back' || phase === 'put-back';
}

/** What a mark alone tells: nothing of files, of the set, or of tasks. */
export function factsOfMarked({ name, mark }: MarkedDatabase): RestoreFacts {
  const { id, database } = mark;
  return {
    ...{ id, database, backupId: null, source: null, files: [], touchesApp: true },
    scratch: companionDatabase(database, 'tend', id),
    keptAs: name,
    undoneAs: companionDatabase(database, 'undone', id),
  };
}

async function hasCutOver(
  { db, live }: { db: Kysely<Database>; live: Kysely<Database> },
  record: RestoreRecord,
): Promise<boolean> {
  if (record.facts.within !== undefined) return await hasReplacedWithin({ db, live }, record);
  if (record.phase === 'begun') return false;
  if (record.phase !== 'cutting-over') return true;
  const { database: name, keptAs, scratch } = record.facts;
  if (keptAs !== null) return (await stateOfCutOver(db, { name, keepAs: keptAs })) !== 'before';
  const { rows } = await sql<{ isNamed: boolean }>`
    select exists (select from pg_catalog.pg_database where datname = ${name})
       and not exists (select from pg_catalog.pg_database where datname = ${scratch}) as "isNamed"`.execute(
    db,
  );
  return rows[0]?.isNamed === true;
}

/** In a database that is not there any more, nothing is left to go on with. */
async function hasReplacedWithin(
  { db, live }: { db: Kysely<Database>; live: Kysely<Database> },
  { phase, facts }: RestoreRecord,
): Promise<boolean> {
  const { rows } = await sql`select from pg_catalog.pg_database where datname = ${facts.database}`.execute(
    db,
  );
  if (rows.length === 0) return false;
  return phase !== 'begun' || (await wasReplaced(live, facts.within?.witness ?? null));
}
