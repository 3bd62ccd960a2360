import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { verifyBackup } from '../../../src/backups/verify/verify-backup.ts';
import { verifyFiles } from '../../../src/backups/verify/verify-files.ts';
import { silentLog } from '../../../src/log.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { type Key, newKey } from '../support/age-keys.ts';
import { companionsOf, restore, takeBackup } from '../support/fixture.ts';
import { flipByte } from '../support/flip-byte.ts';

let database: TestDatabase;
let place: TemporaryDirectory;
let key: Key;
let plain: BackupSet;
let sealed: BackupSet;
let media: string;
beforeAll(async () => {
  database = await createTestDatabase({ empty: true });
  place = await temporaryDirectory();
  media = join(place.path, 'media');
  mkdirSync(media);
  writeFileSync(join(media, 'photo'), randomBytes(300_000));
  writeFileSync(join(media, 'text'), 'text');
  key = await newKey(place.path);
  plain = await take({ files: [media] });
  sealed = await take({ files: [media], encrypt_to: [key.recipient] });
  for (const set of [plain, sealed])
    for (const { file } of set.manifest.parts) copyFileSync(join(set.path, file), pristine(set, file));
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(() => {
  for (const set of [plain, sealed])
    for (const { file } of set.manifest.parts) copyFileSync(pristine(set, file), join(set.path, file));
});

const { signal } = new AbortController();
const pristine = (set: BackupSet, file: string) => join(place.path, `${set.id}.${file}`);
const take = async (config: { files: string[]; encrypt_to?: string[] }) =>
  await takeBackup({ database, directory: join(place.path, 'backups'), config });

async function verify(set: BackupSet, opening: { key?: Key; env?: NodeJS.ProcessEnv } = {}) {
  const { env = process.env } = opening;
  const identity = opening.key?.identity;
  return await verifyBackup({ set, identity, toolsDirectory: undefined, env, log: silentLog, signal });
}

function partThatHolds(set: BackupSet, wanted: 'files' | 'globals') {
  const part = set.manifest.parts.find(({ holds }) => holds === wanted);
  if (part === undefined) throw new Error(`no ${wanted}`);
  return part;
}

const reads = [
  { read: 'plain', level: 'content', of: () => ({ set: plain, opening: {} }) },
  { read: 'encrypted', level: 'content', of: () => ({ set: sealed, opening: { key } }) },
  { read: 'encrypted, and without the key', level: 'stored', of: () => ({ set: sealed, opening: {} }) },
];

test.each(reads)('every part of a set is read ($read)', async ({ level, of }) => {
  const { set, opening } = of();
  const { parts } = await verify(set, opening);
  expect(parts.map(({ holds }) => holds)).toEqual(['database', 'globals', 'files']);
  expect(parts).toEqual(set.manifest.parts.map(({ file, holds, bytes }) => ({ file, holds, bytes, level })));
});

const damages: { damage: string; holds: 'files' | 'globals'; apply: (path: string) => void }[] = [
  { damage: 'a flipped byte in the files', holds: 'files', apply: (path) => flipByte(path, 0.5) },
  { damage: 'a flipped byte at their end', holds: 'files', apply: (path) => flipByte(path, 0.9999) },
  {
    damage: 'files that are cut off',
    holds: 'files',
    apply: (path) => truncateSync(path, readFileSync(path).length - 1),
  },
  { damage: 'a flipped byte in the roles', holds: 'globals', apply: (path) => flipByte(path, 0.5) },
];

test.each(reads.flatMap((read) => damages.map((damage) => ({ ...read, ...damage }))))(
  '$damage are found ($read)',
  async ({ of, holds, apply }) => {
    const { set, opening } = of();
    const { file } = partThatHolds(set, holds);
    apply(join(set.path, file));
    await expect(verify(set, opening)).rejects.toMatchObject({
      ...{ code: 'BACKUP_DAMAGED', exitCode: 65, message: expect.stringContaining(`"${file}"`) },
    });
  },
);

test('files whose hash fits and that are no archive are found by tar, where there is one', async () => {
  const content = randomBytes(20_000);
  const path = join(plain.path, 'files.tar.zst');
  writeFileSync(path, content);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const part = {
    ...partThatHolds(plain, 'files'),
    ...{ compression: 'none' as const, bytes: content.length, sha256 },
  };
  const options = { set: plain, part, log: silentLog, signal };
  await expect(verifyFiles({ ...options, env: process.env })).rejects.toMatchObject({
    ...{
      code: 'BACKUP_DAMAGED',
      message: expect.stringMatching(/"files.tar.zst" cannot be read: .*tar" failed/),
    },
  });
  await expect(verifyFiles({ ...options, env: { PATH: '/nowhere' } })).resolves.toBeUndefined();
});

test('damaged files keep a restore from touching the live database and its files', async () => {
  flipByte(join(plain.path, partThatHolds(plain, 'files').file), 0.5);
  await database.query('create table if not exists public.since (n int)');
  const files = { backup: { files: [media], silence: 60_000 }, baseDirectory: '/' };
  await expect(restore({ database, set: plain, files })).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  await expect(database.query('select from public.since')).resolves.toEqual([]);
  expect(readFileSync(join(media, 'text'), 'utf8')).toBe('text');
  expect(await companionsOf(database)).toEqual([]);
});
