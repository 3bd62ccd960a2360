import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Identity } from '../../../src/backups/parts/find-identity.ts';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { describeBackup } from '../../../src/backups/sets/describe-backup.ts';
import { totalRows } from '../../../src/backups/sets/manifest.ts';
import { verifyBackup } from '../../../src/backups/verify/verify-backup.ts';
import { silentLog } from '../../../src/log.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { ageDirectory, ageRoads, type Key, newKey } from '../support/age-keys.ts';
import { companionsOf, dropCompanions, fixtureSql, restore, takeBackup } from '../support/fixture.ts';
import { flipByte } from '../support/flip-byte.ts';

let database: TestDatabase;
let place: TemporaryDirectory;
let alice: Key;
let bob: Key;
let stranger: Key;
let set: BackupSet;
let pristine: string;
beforeAll(async () => {
  place = await temporaryDirectory();
  [alice, bob, stranger] = [await newKey(place.path), await newKey(place.path), await newKey(place.path)];
  database = await createTestDatabase();
  await database.query(fixtureSql);
  await database.query(`insert into public.pages (title) values ('canary of somebody')`);
  // More than the buffers of all pipes together: a reader that stops early must not leave a writer waiting.
  await database.query(
    `create table public.noise as select sha512(n::text::bytea) as bytes from generate_series(1, 30000) n`,
  );
  set = await takeEncrypted();
  pristine = join(place.path, 'pristine');
  copyFileSync(partOf(set), pristine);
});
afterAll(async () => {
  await dropCompanions(database);
  await database[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

async function takeEncrypted(env: NodeJS.ProcessEnv = process.env, compression = 'zstd:1') {
  const config = { encrypt_to: [alice.recipient, bob.recipient], compression };
  return await takeBackup({ database, directory: join(place.path, 'backups'), env, config });
}

const partOf = ({ path, manifest }: BackupSet) => join(path, manifest.parts[0]?.file ?? '');

function verify(identity: Identity | undefined, env: NodeJS.ProcessEnv = process.env) {
  const { signal } = new AbortController();
  return verifyBackup({ set, identity, toolsDirectory: undefined, env, log: silentLog, signal });
}

/** Runs `work` while the dump of the set is damaged. */
async function whileDamaged(damage: (path: string) => void, work: () => Promise<void>): Promise<void> {
  damage(partOf(set));
  try {
    await work();
  } finally {
    copyFileSync(pristine, partOf(set));
  }
}

test.each(ageRoads)('a set is encrypted to each recipient, and says so ($road)', async ({ env, program }) => {
  const made = await takeEncrypted(env);
  expect(readdirSync(made.path).sort()).toEqual([
    'database.dump.zst.age',
    'globals.sql.zst.age',
    'manifest.json',
  ]);
  expect(made.manifest).toMatchObject({
    tools: { encryptor: program },
    recipients: [alice.recipient, bob.recipient],
    parts: [
      { holds: 'database', compression: 'zstd', encryption: 'age' },
      { holds: 'globals', compression: 'zstd', encryption: 'age' },
    ],
  });
  expect(describeBackup(made)).toMatchObject({
    isEncrypted: true,
    recipients: [alice.recipient, bob.recipient],
  });
});

test('nothing of the content shows, compressed or not', async () => {
  const made = await takeEncrypted(process.env, 'none');
  expect(readdirSync(made.path).sort()).toEqual(['database.dump.age', 'globals.sql.age', 'manifest.json']);
  expect(readFileSync(partOf(made)).includes('canary')).toBe(false);
});

test.skipIf(ageDirectory === undefined)('anybody with a key reads it without tend', () => {
  const words = `"$AGE" -d -i "$KEY" "$PART" | zstd -d | pg_restore -l`;
  const env = {
    ...process.env,
    AGE: join(ageDirectory ?? '', 'age'),
    KEY: bob.identity.path,
    PART: partOf(set),
  };
  expect(execFileSync('sh', ['-c', words], { env }).toString()).toContain('TABLE DATA public pages');
});

test.each(ageRoads)('with the key of either recipient its content is verified ($road)', async ({ env }) => {
  const [part] = set.manifest.parts;
  for (const { identity } of [alice, bob]) {
    expect(await verify(identity, env)).toEqual({
      id: set.id,
      bytes: part?.bytes,
      uncompressedBytes: part?.uncompressedBytes,
      sha256: part?.sha256,
      level: 'content',
      parts: set.manifest.parts.map(({ file, holds, bytes }) => ({ file, holds, bytes, level: 'content' })),
    });
  }
});

test('without a key what is stored is verified, and the report says that it was no more', async () => {
  expect(await verify(undefined)).toMatchObject({ id: set.id, uncompressedBytes: null, level: 'stored' });
});

test.each(ageRoads)("with somebody else's key both are named: exit 78 ($road)", async ({ env }) => {
  const failing = verify(stranger.identity, env);
  await expect(failing).rejects.toMatchObject({
    code: 'BACKUP_KEY_WRONG',
    exitCode: 78,
    message: `Backup set "${set.id}" is encrypted to ${alice.recipient}, ${bob.recipient}; the identity file "${stranger.identity.path}" holds the key of ${stranger.recipient}.`,
    hint: expect.stringContaining('--identity FILE'),
  });
});

test('a wrong key is not called a damaged set, however late age says so', async () => {
  await using directory = await temporaryDirectory();
  const slow = `exec >&-; cat > /dev/null; sleep 2
echo 'age: error: no identity matched any of the recipients' >&2; exit 1`;
  writeFileSync(join(directory.path, 'age'), `#!/bin/sh\n${slow}\n`, { mode: 0o755 });
  const env = { ...process.env, PATH: `${directory.path}:${process.env['PATH']}` };
  await expect(verify(stranger.identity, env)).rejects.toMatchObject({ code: 'BACKUP_KEY_WRONG' });
});

const damages: { title: string; damage: (path: string) => void }[] = [
  { title: 'cut off after 1 %', damage: (path) => truncateSync(path, Math.ceil(sizeOf(path) / 100)) },
  { title: 'without its last byte', damage: (path) => truncateSync(path, sizeOf(path) - 1) },
  { title: 'empty', damage: (path) => truncateSync(path, 0) },
  {
    title: 'with a flipped bit in the stanza of a recipient',
    damage: (path) => flipByte(path, 90 / sizeOf(path)),
  },
  { title: 'with a flipped bit in the middle', damage: (path) => flipByte(path, 0.5) },
  { title: 'with a flipped bit at the end', damage: (path) => flipByte(path, 0.999999) },
];
const sizeOf = (path: string) => readFileSync(path).length;

const readers: { reader: string; env: NodeJS.ProcessEnv; identity: () => Identity | undefined }[] = [
  ...ageRoads.map(({ road, env }) => ({ reader: road, env, identity: () => alice.identity })),
  { reader: 'no key', env: process.env, identity: () => undefined },
];

test.each(readers.flatMap((reader) => damages.map((damage) => ({ ...reader, ...damage }))))(
  'a part $title is found ($reader)',
  async ({ env, identity, damage }) => {
    await whileDamaged(damage, async () => {
      const failing = verify(identity(), env);
      await expect(failing).rejects.toMatchObject({ code: 'BACKUP_DAMAGED', exitCode: 65 });
    });
  },
);

/** As an attacker or a bad copy would leave it: the manifest fits what lies there. */
test.each(ageRoads)(
  'a part whose size and hash in the manifest fit is damaged all the same ($road)',
  async ({ env }) => {
    await whileDamaged(
      (path) => truncateSync(path, 100_000),
      async () => {
        const { createHash } = await import('node:crypto');
        const bytes = readFileSync(partOf(set));
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        const [part] = set.manifest.parts;
        const parts = [{ ...part, bytes: bytes.length, sha256 }];
        const forged = { ...set, manifest: { ...set.manifest, parts } } as BackupSet; // only numbers were changed
        const failing = restore({ database, set: forged, identity: bob.identity, env, into: 'unused_name' });
        await expect(failing).rejects.toMatchObject({
          code: 'BACKUP_DAMAGED',
          message: expect.stringContaining('cannot be read'),
        });
        expect(await companionsOf(database)).toEqual([]);
      },
    );
  },
);

test('a restore without a key is refused before anything is made: exit 78', async () => {
  await expect(restore({ database, set })).rejects.toMatchObject({
    code: 'BACKUP_KEY_MISSING',
    exitCode: 78,
    message: expect.stringContaining(`is encrypted to ${alice.recipient}, ${bob.recipient}`),
    hint: expect.stringContaining('--identity FILE'),
  });
  expect(await companionsOf(database)).toEqual([]);
});

test("a restore with somebody else's key makes nothing either", async () => {
  const failing = restore({ database, set, identity: stranger.identity });
  await expect(failing).rejects.toMatchObject({ code: 'BACKUP_KEY_WRONG' });
  expect(await companionsOf(database)).toEqual([]);
});

test.each(ageRoads)('with a key it is restored ($road)', async ({ env, program }) => {
  const into = `${database.name}_${program.replace('-', '_')}`;
  const result = await restore({ database, set, identity: alice.identity, into, env });
  expect(result).toMatchObject({ database: into, rows: totalRows(set.manifest.tables) });
});

test('a set whose manifest names nobody is opened by whom it is encrypted to', async () => {
  const unnamed = { ...set, manifest: { ...set.manifest, recipients: [] } };
  const { signal } = new AbortController();
  const options = { set: unnamed, toolsDirectory: undefined, env: process.env, log: silentLog, signal };
  expect(await verifyBackup({ ...options, identity: bob.identity })).toMatchObject({ level: 'content' });
  await expect(verifyBackup({ ...options, identity: stranger.identity })).rejects.toMatchObject({
    code: 'BACKUP_KEY_WRONG',
  });
});

test('a recipient that cannot be used, had it come past the configuration, leaves no set', async () => {
  const directory = join(place.path, 'refused');
  for (const { env } of ageRoads) {
    const failing = takeBackup({ database, directory, env, config: { encrypt_to: ['age1abc'] } });
    await expect(failing).rejects.toThrow(/age1abc|recipient|Invalid/i);
    expect(readdirSync(directory)).toEqual(['.tend.lock']);
  }
});
