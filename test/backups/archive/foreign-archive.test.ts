import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { parse } from 'valibot';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findRestoreSource } from '../../../src/backups/restore/restore-source.ts';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { findPostgresBinaries } from '../../support/postgres-binaries.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { companionsOf, dropCompanions, fixtureSql, restore } from '../support/fixture.ts';
import { flipByte } from '../support/flip-byte.ts';

let database: TestDatabase;
let place: TemporaryDirectory;

beforeAll(async () => {
  place = await temporaryDirectory();
  database = await createTestDatabase();
  await database.query(fixtureSql);
  dump('whole.dump', '-Fc');
  dump('whole.tar', '-Ft');
  dump('whole.dir', '-Fd');
  dump('plain.sql', '-Fp');
  dump('public.dump', '-Fc', '--schema=public', '--extension=pg_trgm');
  dump('rows.dump', '-Fc', '--data-only');
  writeFileSync(join(place.path, 'whole.dump.gz'), gzipSync(bytesOf('whole.dump')), { mode: 0o600 });
  writeFileSync(join(place.path, 'whole.dump.zst'), zstdCompressSync(bytesOf('whole.dump')), { mode: 0o600 });
});
afterEach(async () => await dropCompanions(database));
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

function dump(name: string, ...args: string[]): void {
  const path = join(place.path, name);
  execFileSync(join(findPostgresBinaries(), 'pg_dump'), [...args, '-f', path], {
    env: { ...process.env, ...database.env, PGOPTIONS: '' },
    stdio: 'pipe',
  });
}

function bytesOf(name: string): Buffer {
  return readFileSync(join(place.path, name));
}

async function find(name: string): Promise<BackupSet> {
  const source = join(place.path, name);
  return await findRestoreSource({
    source,
    directory: undefined,
    baseDirectory: '/',
    database: 'app',
    uid: process.getuid?.(),
    config: parse(configSchema, {}),
    env: {},
    secrets: new SecretRegistry(),
    signal: new AbortController().signal,
  });
}

/** A damaged copy of an archive. */
function copyOf(name: string, change: (path: string) => void): string {
  const copy = `copy-of-${name}`;
  cpSync(join(place.path, name), join(place.path, copy), { recursive: true });
  change(join(place.path, copy));
  return copy;
}

describe('an archive that pg_dump made by itself', () => {
  test.each(['whole.dump', 'whole.tar', 'whole.dir', 'whole.dump.gz', 'whole.dump.zst'])(
    '%s is restored, its rows are counted, and it says that nothing was compared',
    async (name) => {
      const result = await restore({ database, set: await find(name), into: `${database.name}_copy` });
      expect(result).toMatchObject({ backupId: name, compared: false, tables: expect.any(Number) });
      expect(result.rows).toBeGreaterThan(900);
      expect(await companionsOf(database)).toEqual([`${database.name}_copy`]);
      expect(readdirSync(place.path).filter((entry) => entry.startsWith('.tend'))).toEqual([]);
    },
  );

  test('takes the place of the live database', async () => {
    await using other = await createTestDatabase();
    await restore({ database: other, set: await find('whole.dump') });
    expect(await other.query('select count(*)::int as n from public.pages')).toEqual([{ n: 500 }]);
    await dropCompanions(other);
  });

  test('has the encoding and locale of the original', async () => {
    const { manifest } = await find('whole.tar');
    const [original] = await database.query(`
      select datname as name, pg_encoding_to_char(encoding) as encoding, datcollate as collate, datctype as ctype
        from pg_database where datname = current_database()`);
    expect(manifest.database).toMatchObject({ ...original });
    expect(manifest.extensions).toEqual([{ name: 'pg_trgm', version: '' }]);
  });

  test('of single schemas goes only beside', async () => {
    const set = await find('public.dump');
    await expect(restore({ database, set })).rejects.toMatchObject({
      code: 'RESTORE_REFUSED',
      message: expect.stringContaining('single schemas'),
    });
    await expect(restore({ database, set, into: `${database.name}_copy` })).resolves.toMatchObject({
      compared: false,
    });
  });

  test('of rows without tables is refused', async () => {
    const set = await find('rows.dump');
    await expect(restore({ database, set, into: `${database.name}_copy` })).rejects.toMatchObject({
      message: expect.stringContaining('rows without their tables'),
    });
  });

  test('that a newer pg_dump made is refused, naming both versions and what to do', async () => {
    const set = await find('whole.dump');
    const tools = {
      pgDump: 'pg_dump (PostgreSQL) 99.1 (Debian 99.1-1)',
      compressor: 'none',
      encryptor: 'none',
    };
    const newer = { ...set, manifest: { ...set.manifest, tools } };
    await expect(restore({ database, set: newer, into: `${database.name}_copy` })).rejects.toMatchObject({
      code: 'RESTORE_REFUSED',
      message: expect.stringMatching(/pg_dump 99\.1 .*version 1\d/),
      hint: expect.stringContaining('apt-get install postgresql-client-1'),
    });
  });

  test('of a format to come is refused by the version in its head', async () => {
    const copy = copyOf('whole.dump', (path) => {
      const bytes = readFileSync(path);
      bytes[6] = 99;
      // From 1.15 on one byte says the compression, instead of five.
      writeFileSync(path, Buffer.concat([bytes.subarray(0, 11), bytes.subarray(15)]));
    });
    await expect(find(copy)).rejects.toMatchObject({
      code: 'RESTORE_REFUSED',
      message: expect.stringMatching(/made by pg_dump 1\d\.\d+/),
    });
  });
});

describe('what is refused before a database is made', () => {
  test.each([
    { name: 'whole.dump', at: 0.01 },
    { name: 'whole.dump', at: 0.6 },
    { name: 'whole.dump', at: 0.99 },
    { name: 'whole.tar', at: 0.01 },
    { name: 'whole.tar', at: 0.6 },
    { name: 'whole.tar', at: 0.99 },
    { name: 'whole.dump.gz', at: 0.6 },
    { name: 'whole.dump.zst', at: 0.99 },
  ])('$name cut off at $at', async ({ name, at }) => {
    const copy = copyOf(name, (path) => truncateSync(path, Math.ceil(bytesOf(name).length * at)));
    const restoring = find(copy).then(
      async (set) => await restore({ database, set, into: `${database.name}_copy` }),
    );
    await expect(restoring).rejects.toMatchObject({ code: 'BACKUP_DAMAGED', exitCode: 65 });
    expect(await companionsOf(database)).toEqual([]);
  });

  test.each(['whole.dump', 'whole.tar', 'whole.dump.gz', 'whole.dump.zst'])(
    '%s without its last byte',
    async (name) => {
      const copy = copyOf(name, (path) => truncateSync(path, bytesOf(name).length - 1));
      const restoring = find(copy).then(
        async (set) => await restore({ database, set, into: `${database.name}_copy` }),
      );
      await expect(restoring).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    },
  );

  test('a directory that lacks a file, or has a changed one', async () => {
    const biggest = (path: string) =>
      readdirSync(path)
        .filter((file) => file.endsWith('.dat.gz'))
        .map((file) => join(path, file))
        .sort((a, b) => readFileSync(b).length - readFileSync(a).length)[0] ?? '';
    const cut = copyOf('whole.dir', (path) => truncateSync(biggest(path), 100));
    const into = `${database.name}_copy`;
    await expect(restore({ database, set: await find(cut), into })).rejects.toMatchObject({
      code: 'BACKUP_DAMAGED',
    });
    const changed = copyOf('whole.dir', (path) => flipByte(biggest(path), 0.9));
    await expect(restore({ database, set: await find(changed), into })).rejects.toMatchObject({
      code: 'BACKUP_DAMAGED',
    });
  });

  test('plain SQL, with the reason and what to do instead', async () => {
    await expect(find('plain.sql')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      exitCode: 65,
      message: expect.stringMatching(/plain SQL.*cut off.*CVE-2025-8714/s),
      hint: expect.stringContaining('pg_dump -Fc'),
    });
    writeFileSync(join(place.path, 'plain.sql.gz'), gzipSync(bytesOf('plain.sql')), { mode: 0o600 });
    await expect(find('plain.sql.gz')).rejects.toMatchObject({
      message: expect.stringContaining('plain SQL'),
    });
  });

  test('something else, or nothing', async () => {
    writeFileSync(join(place.path, 'other'), Buffer.from([0, 1, 2, 3, 4]), { mode: 0o600 });
    await expect(find('other')).rejects.toMatchObject({
      message: expect.stringContaining('neither a backup set'),
    });
    writeFileSync(join(place.path, 'empty'), '', { mode: 0o600 });
    await expect(find('empty')).rejects.toMatchObject({ message: expect.stringContaining('it is empty') });
  });

  test('a file that others can write', async () => {
    const copy = copyOf('whole.dump', (path) => chmodSync(path, 0o666));
    await expect(find(copy)).rejects.toMatchObject({
      code: 'RESTORE_REFUSED',
      message: expect.stringContaining('others than you can write it'),
    });
    const directory = copyOf('whole.dir', (path) => chmodSync(join(path, 'toc.dat'), 0o666));
    await expect(find(directory)).rejects.toMatchObject({ message: expect.stringContaining('toc.dat') });
  });
});
