import type { ArchiveEntry, ArchiveToc } from '../archive/archive-toc.ts';
import type { LiveObject } from './find-live-objects.ts';

export const queueSchema = 'tend';

/**
 * The entries of an archive that are loaded over the live database, in its own order. Left out are the queue, which is
 * not rewound; extensions that are there, and what they hold, since `--clean` would drop them; schemas that are there, with their
 * privileges: the extensions stay in them, and `public` belongs to nobody's role.
 */
export function selectEntries(toc: ArchiveToc, live: readonly LiveObject[]): ArchiveEntry[] {
  const there = new Set(
    live.filter(({ schema }) => schema === '').map(({ kind, name }) => `${kind} ${name}`),
  );
  const ofExtensions = new Set(live.filter(({ isOfExtension }) => isOfExtension).map(keyOf));
  return toc.entries.filter((entry) => {
    const { schema, kind, name } = entry;
    if (schema === queueSchema || [name, `${kind} ${name}`].includes(`SCHEMA ${queueSchema}`)) return false;
    // Of the database itself: it stays as it is.
    if (kind.startsWith('DATABASE') || name.startsWith('DATABASE ')) return false;
    // Their comments and privileges are called after them: `SCHEMA public`.
    if (there.has(`${kind} ${name}`) || (schema === '' && there.has(name))) return false;
    const isData = kind === 'TABLE DATA' || kind === 'SEQUENCE SET';
    const of = { schema, name, kind: kind === 'SEQUENCE SET' ? 'SEQUENCE' : 'TABLE' };
    return !(isData && ofExtensions.has(keyOf(of)));
  });
}

/** What is in the database and not in the archive: `--clean` would leave it, beside tables of another day. */
export function findNewerObjects(toc: ArchiveToc, live: readonly LiveObject[]): LiveObject[] {
  const archived = new Set(toc.entries.map(keyOf));
  return live.filter((object) => {
    if (object.isOfExtension || object.kind === 'EXTENSION') return false;
    if (object.kind === 'SCHEMA' && object.name === 'public') return false;
    return !archived.has(keyOf(object));
  });
}

/** What is replaced and belongs to others. Schemas and extensions that are there stay. */
export function findForeignOwned(live: readonly LiveObject[]): LiveObject[] {
  return live.filter(({ schema, isOfExtension, isOurs }) => schema !== '' && !isOfExtension && !isOurs);
}

function keyOf({ schema, kind, name }: Pick<ArchiveEntry, 'schema' | 'kind' | 'name'>): string {
  return JSON.stringify([schema, kind, name]);
}

/** As a person writes it: `table public.pages`. */
export function describeObject({ schema, kind, name }: LiveObject): string {
  return `${kind.toLowerCase()} ${schema === '' ? '' : `${schema}.`}${name}`;
}
