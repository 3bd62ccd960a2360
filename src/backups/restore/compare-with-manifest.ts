import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { readSequences, sequenceDifferences } from '../create/sequence-values.ts';
import type { Manifest, TableRows } from '../sets/manifest.ts';

/**
 * Compares a restored database with what the manifest says was dumped: rows of every table, sequences, extensions,
 * large objects. Returns one line for each difference; none means that everything that was counted is there.
 */
export async function compareWithManifest(options: {
  db: Kysely<Database>;
  manifest: Manifest;
  /** As counted in the restored database. */
  tables: readonly TableRows[];
  /** Whether the manifest knows how many large objects there are. */
  largeObjects?: 'known' | 'unknown';
}): Promise<string[]> {
  const { db, manifest, tables } = options;
  const { rows: extensions } = await sql<{ name: string }>`
    select extname as name from pg_catalog.pg_extension`.execute(db);
  const { rows: objects } = await sql<{ count: number }>`
    select count(*) as count from pg_catalog.pg_largeobject_metadata`.execute(db);
  const present = new Set(extensions.map(({ name }) => name));
  const missing = manifest.extensions.filter(({ name }) => !present.has(name));
  const largeObjects = objects[0]?.count ?? 0;
  return [
    ...rowDifferences(manifest.tables, tables),
    ...sequenceDifferences(manifest.sequences, await readSequences(db)),
    ...missing.map(({ name }) => `extension "${name}" is missing`),
    ...(options.largeObjects === 'unknown' || largeObjects === manifest.largeObjects
      ? []
      : [`${largeObjects} large objects, expected ${manifest.largeObjects}`]),
  ];
}

function rowDifferences(expected: readonly TableRows[], found: readonly TableRows[]): string[] {
  const restored = new Map(found.map((table) => [JSON.stringify([table.schema, table.name]), table.rows]));
  return expected.flatMap(({ schema, name, rows }) => {
    const here = restored.get(JSON.stringify([schema, name]));
    if (here === undefined) return [`table "${schema}"."${name}" is missing`];
    if (rows === null || rows === here) return [];
    return [`table "${schema}"."${name}" has ${here} rows, expected ${rows}`];
  });
}
