import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArchiveFile } from '../../src/backups/archive-file.ts';
import { ArchivePlaces } from '../../src/backups/archive-places.ts';
import { type ArchiveToc, readArchiveToc } from '../../src/backups/archive-toc.ts';
import { indexWork } from '../../src/backups/index-work.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { findPostgresBinaries } from '../support/postgres-binaries.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { fixtureSql } from './support/fixture.ts';

let database: TestDatabase;
let place: TemporaryDirectory;
/** As pg_dump writes it to a file, where it can go back and write the places in. */
let seekable: Buffer;
/** The same without the places. */
let streamed: Buffer;

beforeAll(async () => {
  place = await temporaryDirectory();
  database = await createTestDatabase({ empty: true });
  await database.query(fixtureSql);
  const path = join(place.path, 'seekable.dump');
  execFileSync(join(findPostgresBinaries(), 'pg_dump'), ['-Fc', '-Z0', '-f', path], {
    env: { ...process.env, ...database.env },
  });
  seekable = readFileSync(path);
  streamed = withoutPlaces(seekable);
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

function withoutPlaces(archive: Buffer): Buffer {
  const copy = Buffer.from(archive);
  for (const { hasData, placeAt } of readArchiveToc(archive)?.entries ?? []) {
    if (hasData) copy.fill(0, placeAt + 1, placeAt + 9).fill(1, placeAt, placeAt + 1);
  }
  return copy;
}

function watch(archive: Buffer, chunkBytes: number): ArchivePlaces {
  const places = new ArchivePlaces();
  for (let at = 0; at < archive.length; at += chunkBytes) places.note(archive.subarray(at, at + chunkBytes));
  return places;
}

describe('an archive that was written into a pipe', () => {
  test.each([1, 7, 4096, 1 << 20])(
    'becomes, byte for byte, what pg_dump would have written into a file (chunks of %i)',
    (chunkBytes) => {
      expect(streamed.equals(seekable)).toBe(false);
      const places = watch(streamed, chunkBytes);
      expect(places.problem()).toBeUndefined();
      const patched = Buffer.from(streamed);
      for (const { at, bytes } of places.patches()) bytes.copy(patched, at);
      expect(patched.equals(seekable)).toBe(true);
    },
  );

  test('is known to be cut off wherever that happened', () => {
    const wrong: number[] = [];
    for (let length = 0; length < streamed.length; length += 997) {
      if (watch(streamed.subarray(0, length), 4096).problem() === undefined) wrong.push(length);
    }
    expect(watch(streamed.subarray(0, -1), 4096).problem()).toMatch(/cut off|missing/);
    expect(wrong).toEqual([]);
  });

  test('is known to be damaged where data of no known type stand', () => {
    const damaged = Buffer.from(streamed);
    damaged[readArchiveToc(streamed)?.endsAt ?? 0] = 9;
    expect(watch(damaged, 4096).problem()).toBe('its data have an unknown type (9)');
  });
});

describe('an archive whose tables are weighed by their indexes', () => {
  let large: Buffer;
  beforeAll(async () => {
    // What lies within the first bytes, which are read for the table of contents, gets no gaps.
    await database.query('create table ballast as select md5(n::text) from generate_series(1, 30000) n');
    large = execFileSync(join(findPostgresBinaries(), 'pg_dump'), ['-Fc', '-Z0'], {
      env: { ...process.env, ...database.env },
      maxBuffer: 1 << 28,
    });
  });

  test.each([4095, 1 << 16, 1 << 22])(
    'has a gap after a table, and is restored as it is without (chunks of %i)',
    async (chunkBytes) => {
      const path = join(place.path, `gaps-${chunkBytes}.dump`);
      const tables = ({ entries }: ArchiveToc) =>
        new Map(entries.flatMap(({ id, kind }) => (kind === 'TABLE DATA' ? [[id, 1000] as const] : [])));
      const places = new ArchivePlaces({ gapFactors: tables });
      const file = new ArchiveFile(path, places);
      for (let at = 0; at < large.length; at += chunkBytes) file.write(large.subarray(at, at + chunkBytes));
      file.end();
      await once(file, 'close');
      expect(places.problem()).toBeUndefined();
      await using handle = await open(path, 'r+');
      for (const { at, bytes } of places.patches()) await handle.write(bytes, 0, bytes.length, at);
      const script = (archive: string) =>
        execFileSync(join(findPostgresBinaries(), 'pg_restore'), ['-f', '-', archive], {
          encoding: 'utf8',
          maxBuffer: 1 << 28,
        }).replaceAll(/^.?(un)?restrict .*$/gm, '');
      const whole = join(place.path, 'large.dump');
      await writeFile(whole, large);
      expect(script(path)).toBe(script(whole));
      const { size, blocks } = await handle.stat();
      expect(size).toBeGreaterThan(large.length * 10);
      expect(blocks * 512).toBeLessThan(large.length + 64 * 4096);
    },
  );

  test('by those that take long to build, and no others', async () => {
    await database.query(`
      create table weighed (id int primary key, words tsvector, tags int[]);
      create table plain (id int primary key, n int);
      create index on weighed using gin (words);
      create index on weighed using gin (tags);
      create index on plain (n)`);
    const archive = execFileSync(
      join(findPostgresBinaries(), 'pg_dump'),
      ['-Fc', '-t', 'weighed', '-t', 'plain'],
      { env: { ...process.env, ...database.env } },
    );
    const toc = readArchiveToc(archive);
    const data = toc?.entries.find(({ kind, name }) => kind === 'TABLE DATA' && name === 'weighed');
    expect(toc && indexWork(toc)).toEqual(new Map([[data?.id, 16]]));
  });
});
