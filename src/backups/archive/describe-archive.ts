import { basename, dirname } from 'node:path';
import { type BackupSet, filesIn } from '../sets/backup-directory.ts';
import type { DatabaseFacts, Manifest } from '../sets/manifest.ts';
import type { ArchiveEntry, ArchiveToc } from './archive-toc.ts';
import type { ForeignArchive } from './foreign-archive.ts';

/**
 * A set in the place of an archive that tend did not make, with what its table of contents says; how many
 * rows there must be it does not say.
 */
export function setOfArchive(archive: ForeignArchive): BackupSet {
  const { path, bytes, toc } = archive;
  const { head, entries } = toc;
  const madeAt = head.madeAt.toISOString();
  const manifest: Manifest = {
    format: 1,
    id: basename(path),
    label: null,
    taskId: null,
    host: '',
    startedAt: madeAt,
    finishedAt: madeAt,
    durationMs: 0,
    tools: {
      pgDump: `pg_dump (PostgreSQL) ${head.dumpVersion}`,
      compressor: archive.wrapping,
      encryptor: 'none',
    },
    snapshot: null,
    database: databaseFacts(toc),
    extensions: entries.filter(({ kind }) => kind === 'EXTENSION').map(({ name }) => ({ name, version: '' })),
    roles: rolesIn(entries),
    tables: entries
      .filter(({ kind }) => kind === 'TABLE DATA')
      .map(({ schema, name }) => ({ schema, name, rows: null })),
    sequences: [],
    largeObjects: 0,
    recipients: [],
    parts: [
      {
        ...{ file: basename(path), holds: 'database', compression: 'none', encryption: 'none' },
        ...{ bytes, uncompressedBytes: bytes, sha256: '' },
      },
    ],
  };
  return { id: manifest.id, path, manifest, files: filesIn(dirname(path)), foreign: archive };
}

/** Rows without the tables they belong to: `pg_dump --data-only`. */
export function isDataOnly({ entries }: ArchiveToc): boolean {
  const has = (wanted: string) => entries.some(({ kind }) => kind === wanted);
  return has('TABLE DATA') && !has('TABLE');
}

/** `pg_dump --schema=public`, which holds no whole database, creates that schema; a new database has it already. */
export function createsPublic({ entries }: ArchiveToc): boolean {
  return entries.some(
    ({ kind, name, definition }) =>
      kind === 'SCHEMA' && name === 'public' && /^CREATE SCHEMA/m.test(definition),
  );
}

/**
 * From the entry `DATABASE`, which every dump with a schema has, whether `--create` was given or not. What it
 * does not say is empty: the new database gets what template0 has.
 */
function databaseFacts({ head, entries }: ArchiveToc): DatabaseFacts {
  const created = entries.find(({ kind }) => kind === 'DATABASE');
  const option = (name: string) => {
    const found = new RegExp(`\\b${name} = (?:'((?:[^']|'')*)'|(\\w+))`).exec(created?.definition ?? '');
    return (found?.[1] ?? found?.[2])?.replaceAll("''", "'");
  };
  const both = option('LOCALE');
  const provider = option('LOCALE_PROVIDER');
  return {
    name: head.database,
    serverVersion: head.serverVersion,
    serverMajor: majorOf(head.serverVersion),
    systemIdentifier: null,
    sizeBytes: 0,
    owner: created?.owner ?? '',
    encoding: option('ENCODING') ?? '',
    localeProvider: provider === 'icu' || provider === 'builtin' ? provider : 'libc',
    collate: option('LC_COLLATE') ?? both ?? '',
    ctype: option('LC_CTYPE') ?? both ?? '',
    locale: option('ICU_LOCALE') ?? option('BUILTIN_LOCALE') ?? (provider === 'libc' ? null : (both ?? null)),
    icuRules: option('ICU_RULES') ?? null,
    connectionLimit: -1,
  };
}

/** `15` of `15.18 (Debian 15.18-0+deb12u1)`, also of `19beta1`; `9` of `9.6.24`. */
export function majorOf(version: string): number {
  return Number.parseInt(version, 10) || 0;
}

/** Owners, and who is granted something. Roles named pg_… exist everywhere. */
function rolesIn(entries: readonly ArchiveEntry[]): string[] {
  const names = new Set(entries.map(({ owner }) => owner));
  for (const { definition } of entries.filter(({ kind }) => kind === 'ACL' || kind === 'DEFAULT ACL')) {
    for (const [, quoted, plain] of definition.matchAll(/ (?:TO|FROM|ROLE) (?:"((?:[^"]|"")+)"|([\w$]+))/g)) {
      names.add(quoted?.replaceAll('""', '"') ?? plain ?? '');
    }
  }
  return [...names].filter((name) => name !== '' && name !== 'PUBLIC' && !name.startsWith('pg_')).sort();
}
