import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArchivePlaces } from '../../../src/backups/archive/archive-places.ts';
import { readArchiveToc } from '../../../src/backups/archive/archive-toc.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { findPostgresBinaries } from '../../support/postgres-binaries.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { fixtureSql } from '../support/fixture.ts';

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
