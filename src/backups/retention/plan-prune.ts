import type { BackupSet } from '../sets/backup-directory.ts';
import type { BackupStore } from '../sets/backup-store.ts';
import type { BackupRecord } from '../sets/find-backup-records.ts';
import { findPartProblem } from '../sets/find-part-problem.ts';
import { type PlanRetentionOptions, planRetention } from './plan-retention.ts';

export interface PlanPruneOptions extends Pick<PlanRetentionOptions, 'keep' | 'olderThanMs' | 'now'> {
  store: BackupStore;
  /** Whose sets these are: others of the same place are left alone. */
  database: { name: string; systemIdentifier: string | null };
  records: ReadonlyMap<string, BackupRecord>;
  findInUse(sets: readonly BackupSet[]): Promise<ReadonlyMap<string, string>>;
}

/** What would become of one set; keys of the JSON contract of `backup prune`. */
export interface PruneDecision {
  id: string;
  startedAt: string;
  bytes: number;
  action: 'keep' | 'remove';
  reasons: string[];
}

/** What retention neither counts nor removes. */
export interface LeftAlone {
  name: string;
  why: string;
}

export interface PrunePlan {
  place: string;
  /** Good sets of this database, newest first. */
  decisions: PruneDecision[];
  left: LeftAlone[];
  /** The sets to remove. */
  toRemove: { set: BackupSet; decision: PruneDecision }[];
}

/**
 * Looks at everything in a place and decides about the good sets of one database. Whatever is not certainly one of
 * these counts for nothing and is not touched: sets that are damaged or did not verify, sets of other databases and
 * servers, and what is no set.
 */
export async function planPrune(options: PlanPruneOptions): Promise<PrunePlan> {
  const { store, records } = options;
  const { sets, damaged, unfinished, strangers } = await store.listBackups();
  const left: LeftAlone[] = [];
  const good: BackupSet[] = [];
  for (const set of sets) {
    const why = findStrangeness(set, options) ?? (await findFault(set, records));
    if (why === undefined) good.push(set);
    else left.push({ name: set.id, why });
  }
  left.push(...damaged.map(({ id, problem }) => ({ name: id, why: `damaged: ${problem}` })));
  left.push(...unfinished.map((name) => ({ name, why: 'its upload is not finished' })));
  left.push(...strangers.map((name) => ({ name, why: 'no backup set' })));

  const decided = planRetention({
    ...options,
    sets: good.map(({ id, manifest }) => ({
      id,
      startedAt: new Date(manifest.startedAt),
      verifiedAt: records.get(id)?.verifiedAt ?? null,
    })),
    inUse: await options.findInUse(good),
  });
  const toRemove: PrunePlan['toRemove'] = [];
  const decisions = decided.flatMap((decision) => {
    const set = good.find(({ id }) => id === decision.id);
    if (set === undefined) return [];
    const shown = { ...describe(set), ...decision };
    if (decision.action === 'remove') toRemove.push({ set, decision: shown });
    return [shown];
  });
  return { place: store.place, decisions, left, toRemove };
}

/** Why a set is none of this database's. Without the right to ask for the server's identifier the name alone decides. */
function findStrangeness({ manifest }: BackupSet, { database }: PlanPruneOptions): string | undefined {
  const { name, systemIdentifier } = manifest.database;
  if (name !== database.name) return `of database "${name}"`;
  const isElsewhere =
    systemIdentifier !== null &&
    database.systemIdentifier !== null &&
    systemIdentifier !== database.systemIdentifier;
  return isElsewhere
    ? `of database "${name}" on another server (system identifier ${systemIdentifier})`
    : undefined;
}

async function findFault(
  set: BackupSet,
  records: ReadonlyMap<string, BackupRecord>,
): Promise<string | undefined> {
  const error = records.get(set.id)?.verifyError ?? null;
  if (error !== null) return `did not verify: ${error}`;
  const problem = await findPartProblem(set);
  return problem === undefined ? undefined : `damaged: ${problem}`;
}

function describe({ id, manifest }: BackupSet): Pick<PruneDecision, 'id' | 'startedAt' | 'bytes'> {
  const bytes = manifest.parts.reduce((sum, part) => sum + part.bytes, 0);
  return { id, startedAt: manifest.startedAt, bytes };
}
