import type { CutOverMoment } from '../cut-over/swap-databases.ts';
import type { Manifest } from '../sets/manifest.ts';

/**
 * How many transactions the database that was replaced holds at most that the restored one does not: those that have
 * written anything on this server between the dump's snapshot and the cut-over.
 *
 * Counted by transaction ids, which the server gives to whatever writes, in all of its databases together, to
 * subtransactions and to what was rolled back, too. So it is a bound, and 0 means none; a closer one does not
 * survive a crash of the server. Null where nothing is known: another server, an older backup set, a set of another
 * database.
 */
export function laterTransactions(options: {
  manifest: Manifest;
  live: { name: string; systemIdentifier: string | null };
  moment: CutOverMoment;
}): number | null {
  const { manifest, live, moment } = options;
  const { snapshot, database } = manifest;
  if (snapshot === null || live.systemIdentifier === null) return null;
  if (database.systemIdentifier !== live.systemIdentifier || database.name !== live.name) return null;
  // Those that were under way when the snapshot was taken are in the old database as well, and not in the dump.
  const later = BigInt(moment.xid) - BigInt(snapshot.xid) + BigInt(snapshot.underWay);
  return later < 0n ? null : Number(later);
}
