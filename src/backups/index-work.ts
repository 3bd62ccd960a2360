import type { ArchiveToc } from './archive-toc.ts';

/** Of these an index is built from a table's rows in less time than it takes to load them. */
const cheapMethods = new Set(['btree', 'brin', 'hash']);

/** Building one of another kind (GIN, GiST, …) takes about as long as loading this many times the table. */
const dearFactor = 8;

/**
 * For each entry of data: how many times the loading of it the building of the table's indexes takes, about. Only the
 * order of work depends on it. Tables whose indexes are quick to build are left out.
 */
export function indexWork({ entries }: ArchiveToc): Map<number, number> {
  const ofTable = new Map<number, number>();
  for (const { kind, definition, dependsOn } of entries) {
    const method = kind === 'INDEX' ? / USING (\w+) \(/.exec(definition)?.[1] : undefined;
    if (method === undefined || cheapMethods.has(method)) continue;
    for (const id of dependsOn) ofTable.set(id, (ofTable.get(id) ?? 0) + dearFactor);
  }
  return new Map(
    entries.flatMap(({ id, kind, dependsOn }) => {
      const work = kind === 'TABLE DATA' ? dependsOn.map((table) => ofTable.get(table) ?? 0) : [];
      const most = Math.max(0, ...work);
      return most > 0 ? [[id, most] as const] : [];
    }),
  );
}
