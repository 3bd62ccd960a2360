import { chmodSync, cpSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readPart } from '../../../src/backups/parts/read-part.ts';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { findBackup, listBackups } from '../../../src/backups/sets/backup-directory.ts';
import { databasePart } from '../../../src/backups/sets/manifest.ts';
import { verifyBackup } from '../../../src/backups/verify/verify-backup.ts';
import { silentLog } from '../../../src/log.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { cloneSet } from '../support/clone-set.ts';
import { fixtureSql, takeBackup } from '../support/fixture.ts';
import { flipByte } from '../support/flip-byte.ts';

let database: TestDatabase;
let place: TemporaryDirectory;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(fixtureSql);
  // More than the buffers of all pipes together: a reader that stops early must not leave a writer waiting.
  await database.query(
    `create table public.noise as select sha512(n::text::bytea) as bytes from generate_series(1, 60000) n`,
  );
});
afterAll(async () => await database[Symbol.asyncDispose]());
beforeEach(async () => {
  place = await temporaryDirectory();
});
afterEach(async () => await place[Symbol.asyncDispose]());

function verify(set: BackupSet, env: NodeJS.ProcessEnv = process.env) {
  const signal = new AbortController().signal;
  return verifyBackup({ set, toolsDirectory: undefined, env, log: silentLog, signal });
}

const ways = [
  { way: 'the zstd program', compression: 'zstd:1', env: process.env },
  { way: "Node's own zstd", compression: 'zstd:1', env: { ...process.env, PATH: '/nowhere' } },
  { way: 'no compression', compression: 'none', env: process.env },
];

test.each(ways)('a good set passes ($way)', async ({ compression, env }) => {
  const set = await takeBackup({ database, directory: place.path, config: { compression } });
  const [part] = set.manifest.parts;
  await expect(verify(set, env)).resolves.toEqual({
    id: set.id,
    bytes: part?.bytes,
    uncompressedBytes: part?.uncompressedBytes,
    sha256: part?.sha256,
    level: 'content',
    parts: set.manifest.parts.map(({ file, holds, bytes }) => ({ file, holds, bytes, level: 'content' })),
  });
});

const damages: { title: string; damage: (path: string) => void }[] = [
  {
    title: 'a dump cut off after 1 %',
    damage: (path) => truncateSync(path, Math.ceil(readFileSync(path).length / 100)),
  },
  {
    title: 'a dump that lacks its last byte',
    damage: (path) => truncateSync(path, readFileSync(path).length - 1),
  },
  { title: 'a flipped byte near the beginning', damage: (path) => flipByte(path, 0.02) },
  { title: 'a flipped byte in the middle', damage: (path) => flipByte(path, 0.5) },
  { title: 'a flipped byte at the end', damage: (path) => flipByte(path, 0.999) },
  { title: 'a missing dump', damage: (path) => unlinkSync(path) },
];

test.each(ways.flatMap((way) => damages.map((damage) => ({ ...way, ...damage }))))(
  '$title is found ($way)',
  async ({ compression, env, damage }) => {
    const set = await takeBackup({ database, directory: place.path, config: { compression } });
    damage(join(set.path, set.manifest.parts[0]?.file ?? ''));
    await expect(verify(set, env)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED', exitCode: 65 });
  },
);

test('a dump cut off in the middle is found although its size and hash in the manifest fit', async () => {
  const set = await takeBackup({ database, directory: place.path, config: { compression: 'none' } });
  const path = join(set.path, 'database.dump');
  truncateSync(path, Math.floor(readFileSync(path).length * 0.6));
  const { createHash } = await import('node:crypto');
  const bytes = readFileSync(path);
  const part = {
    ...set.manifest.parts[0],
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
  const forged = { ...set, manifest: { ...set.manifest, parts: [part] } } as BackupSet; // only numbers were changed
  await expect(verify(forged)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
});

test('a reader that closes before the end, content with what it has, does not make the set a damaged one', async () => {
  const set = await takeBackup({ database, directory: place.path });
  const part = databasePart(set.manifest);
  const target = new PassThrough();
  target.once('data', () => target.destroy());
  const signal = new AbortController().signal;
  const { bytes, uncompressedBytes } = part;
  await expect(readPart({ set, part, target, env: process.env, log: silentLog, signal })).resolves.toEqual({
    ...{ bytes, uncompressedBytes },
  });
});

test('a set without a readable manifest is listed as damaged, not as a set', async () => {
  const set = await takeBackup({ database, directory: place.path });
  writeFileSync(join(set.path, 'manifest.json'), '{"format": 1');
  const { sets, damaged } = await listBackups(place.path);
  expect(sets).toEqual([]);
  expect(damaged).toEqual([
    { id: set.id, path: set.path, problem: expect.stringContaining('it is not JSON') },
  ]);
});

test('latest is never an older set in the place of the newest, which cannot be read', async () => {
  const older = await takeBackup({ database, directory: place.path });
  const newer = { id: '29991231T235959Z-beef' };
  cpSync(older.path, join(place.path, newer.id), { recursive: true });
  writeFileSync(join(place.path, newer.id, 'manifest.json'), '{"format": 1');
  const latest = findBackup({ source: 'latest', directory: place.path, baseDirectory: '/' });
  await expect(latest).rejects.toMatchObject({
    ...{ code: 'BACKUP_DAMAGED', message: expect.stringContaining(`"${newer.id}" is the newest backup set`) },
    hint: expect.stringContaining(older.id),
  });
  rmSync(join(place.path, newer.id), { recursive: true });
  const found = await findBackup({ source: 'latest', directory: place.path, baseDirectory: '/' });
  expect(found.id).toBe(older.id);
});

test('latest is the newest of the database that is restored, where a directory holds others, too', async () => {
  const own = await takeBackup({ database, directory: place.path });
  const at = new Date(Date.now() + 60_000);
  const other = await cloneSet(own, { at, database: { name: 'shop' } });
  const find = async (of: { database?: string }) =>
    (await findBackup({ source: 'latest', directory: place.path, baseDirectory: '/', ...of })).id;
  expect(await find({ database: database.name })).toBe(own.id);
  expect(await find({ database: 'shop' })).toBe(other.id);
  expect(await find({ database: 'a_new_staging' })).toBe(other.id);
  expect(await find({})).toBe(other.id);
});

test.skipIf(process.getuid?.() !== 0)('a set that this user may not read is not called damaged', async () => {
  const set = await takeBackup({ database, directory: place.path });
  chmodSync(place.path, 0o755);
  process.seteuid?.(65534);
  try {
    const { damaged } = await listBackups(place.path);
    expect(damaged).toMatchObject([
      { problem: expect.stringContaining('cannot be read'), isForbidden: true },
    ]);
    const latest = findBackup({ source: 'latest', directory: place.path, baseDirectory: '/' });
    await expect(latest).rejects.toMatchObject({
      code: 'INPUT_MISSING',
      message: expect.stringContaining(set.id),
    });
  } finally {
    process.seteuid?.(0);
  }
});
