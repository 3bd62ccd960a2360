import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unpackArchive } from '../../../src/backups/archive/unpack-archive.ts';
import { readPart } from '../../../src/backups/parts/read-part.ts';
import { writePart } from '../../../src/backups/parts/write-part.ts';
import { filesIn } from '../../../src/backups/sets/backup-directory.ts';
import type { ManifestPart } from '../../../src/backups/sets/manifest.ts';
import { silentLog } from '../../../src/log.ts';
import { createTestDatabase } from '../../support/database.ts';
import { findPostgresBinaries } from '../../support/postgres-binaries.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { ageRoads, type Key, newKey } from '../support/age-keys.ts';
import { fixtureSql } from '../support/fixture.ts';
import { flipByte } from '../support/flip-byte.ts';
import { produceFrom } from '../support/produce-from.ts';

let place: TemporaryDirectory;
let key: Key;
/** As pg_dump writes it into a pipe. */
let dump: Buffer;

beforeAll(async () => {
  place = await temporaryDirectory();
  key = await newKey(place.path);
  await using database = await createTestDatabase({ empty: true });
  await database.query(fixtureSql);
  dump = execFileSync(join(findPostgresBinaries(), 'pg_dump'), ['-Fc', '-Z0'], {
    env: { ...process.env, ...database.env },
  });
});
afterAll(async () => await place[Symbol.asyncDispose]());

const { signal } = new AbortController();
const context = { log: silentLog, signal };

async function storedPart(env: NodeJS.ProcessEnv, format: 'zstd' | 'none', recipients: string[]) {
  const directory = await temporaryDirectory();
  const part = await writePart({
    ...{ ...context, env, directory: directory.path, name: 'database.dump', holds: 'database', recipients },
    compression: { format, level: 1 },
    produce: produceFrom(dump),
  });
  return { directory, part };
}

async function unpack(options: { directory: string; part: ManifestPart; env: NodeJS.ProcessEnv }) {
  const { directory, part, env } = options;
  const set = { id: 'x', path: directory, files: filesIn(directory), manifest: undefined as never };
  const path = join(directory, 'unpacked.dump');
  const isKnown = await unpackArchive({
    read: async (target, stop) =>
      await readPart({ ...context, set, part, identity: key.identity, target, env, signal: stop }),
    path,
    damaged: (why) => new Error(why),
    signal,
  });
  return { path, isKnown };
}

/** How many bytes are not as they were dumped. */
function changedBytes(unpacked: Buffer): number {
  let changed = 0;
  for (let at = 0; at < dump.length; at++) if (unpacked[at] !== dump[at]) changed += 1;
  return changed;
}

describe.each(ageRoads)('a dump that $road decrypts', ({ env }) => {
  test.each(['zstd', 'none'] as const)(
    'is unpacked whole into a file that nobody else can read, with its places (%s)',
    async (format) => {
      const { directory, part } = await storedPart(env, format, [key.recipient]);
      await using _removed = directory;
      const { path, isKnown } = await unpack({ directory: directory.path, part, env });
      expect(isKnown).toBe(true);
      const unpacked = readFileSync(path);
      expect(unpacked.length).toBe(dump.length);
      const changed = changedBytes(unpacked);
      expect(changed).toBeGreaterThan(0);
      expect(changed).toBeLessThan(9 * 100); // nine bytes for each table that has data
      expect(statSync(path).mode & 0o777).toBe(0o600);
    },
  );

  test.each([0.3, 0.9])('is called damaged where a byte of it was changed, at %d', async (where) => {
    const { directory, part } = await storedPart(env, 'zstd', [key.recipient]);
    await using _removed = directory;
    flipByte(join(directory.path, part.file), where);
    await expect(unpack({ directory: directory.path, part, env })).rejects.toMatchObject({
      code: 'BACKUP_DAMAGED',
    });
  });
});

describe('a dump that is not encrypted', () => {
  test.each(['zstd', 'none'] as const)('is unpacked as well (%s)', async (format) => {
    const { directory, part } = await storedPart(process.env, format, []);
    await using _removed = directory;
    const { path } = await unpack({ directory: directory.path, part, env: process.env });
    expect(readFileSync(path).length).toBe(dump.length);
  });
});

test('a program that finds the disk full while it writes the file is no damage of the set', async () => {
  const { directory, part } = await storedPart(process.env, 'zstd', []);
  await using _removed = directory;
  const program = join(directory.path, 'zstd');
  const said = 'zstd: error 70 : Write error : cannot write block : No space left on device';
  writeFileSync(program, `#!/bin/sh\ncat > /dev/null\necho '${said}' >&2\nexit 70\n`);
  chmodSync(program, 0o755);
  const env = { ...process.env, PATH: `${directory.path}${delimiter}${process.env['PATH']}` };
  await expect(unpack({ directory: directory.path, part, env })).rejects.toMatchObject({
    code: 'OUTPUT_UNWRITABLE',
    message: expect.stringContaining('no space left on device'),
  });
});
