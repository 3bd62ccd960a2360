/**
 * What the comment of a database says about it, so that whoever looks from any database of the server knows which is
 * which, whatever has become of the process that renamed them. It changes in the transaction that changes the names.
 */
export type DatabaseMark =
  /** Being restored into; a later restore of the same database drops it. */
  | { kind: 'scratch'; database: string }
  /** The database that was replaced. */
  | { kind: 'kept'; database: string; id: string; hasEnded: boolean }
  /** What had been restored, after a way back, because it was written to meanwhile. */
  | { kind: 'undone'; database: string; id: string };

/** The comment. */
export function writeMark(mark: DatabaseMark): string {
  const { database } = mark;
  switch (mark.kind) {
    case 'scratch':
      return `tend: a restore for database "${database}" that has not ended`;
    case 'kept':
      return `tend: database "${database}" as it was before restore ${mark.id}${mark.hasEnded ? '' : unfinished}`;
    case 'undone':
      return `tend: database "${database}" as restore ${mark.id} had made it, which was undone`;
  }
}

const unfinished = ', which has not ended';
const kept =
  /^tend: database "(.+)" as it was before restore (\d{8}T\d{6}Z-[0-9a-f]{4})(, which has not ended)?$/s;
const undone = /^tend: database "(.+)" as restore (\d{8}T\d{6}Z-[0-9a-f]{4}) had made it, which was undone$/s;
const scratch = /^tend: a restore for database "(.+)" that has not ended$/s;

/** What a comment means; undefined for one that a person wrote. */
export function readMark(comment: string): DatabaseMark | undefined {
  const [, keptDatabase, keptId, isUnfinished] = kept.exec(comment) ?? [];
  if (keptDatabase !== undefined && keptId !== undefined)
    return { kind: 'kept', database: keptDatabase, id: keptId, hasEnded: isUnfinished === undefined };
  const [, undoneDatabase, undoneId] = undone.exec(comment) ?? [];
  if (undoneDatabase !== undefined && undoneId !== undefined)
    return { kind: 'undone', database: undoneDatabase, id: undoneId };
  const [, scratchDatabase] = scratch.exec(comment) ?? [];
  return scratchDatabase === undefined ? undefined : { kind: 'scratch', database: scratchDatabase };
}
