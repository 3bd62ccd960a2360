import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  dropKeptFiles,
  type FileSwap,
  swapFiles,
  swapFilesBack,
} from '../../../src/backups/cut-over/swap-files.ts';
import { silentLog } from '../../../src/log.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';

let place: TemporaryDirectory;
let swaps: FileSwap[];

beforeAll(async () => {
  place = await temporaryDirectory();
});
afterAll(async () => await place[Symbol.asyncDispose]());

/** A directory, a single file, and a directory that is not there yet. */
beforeEach(() => {
  rmSync(join(place.path, 'srv'), { recursive: true, force: true });
  swaps = ['media', 'logo.png', 'new'].map((name) => {
    const live = join(place.path, 'srv', name);
    return { live, fresh: join(place.path, 'srv', `.${name}.tend_1`), keptAs: `${live}.before_1` };
  });
  for (const { live, fresh } of swaps) {
    if (!live.endsWith('new')) put(live, 'old');
    put(fresh, 'fresh');
  }
});

function put(path: string, content: string): void {
  if (path.includes('logo')) {
    writeFileSync(path, content);
    return;
  }
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'a'), content);
}

/** Name and content of everything that is there. */
function seen(): Record<string, string> {
  const srv = join(place.path, 'srv');
  const read = (name: string) => {
    const path = join(srv, name);
    return readFileSync(name.endsWith('.none') || name.includes('logo') ? path : join(path, 'a'), 'utf8');
  };
  return Object.fromEntries(readdirSync(srv).map((name) => [name, read(name)]));
}

const before = {
  ...{ media: 'old', '.media.tend_1': 'fresh', 'logo.png': 'old', '.logo.png.tend_1': 'fresh' },
  '.new.tend_1': 'fresh',
};
const after = {
  ...{ media: 'fresh', 'media.before_1': 'old', 'logo.png': 'fresh', 'logo.png.before_1': 'old' },
  ...{ new: 'fresh', 'new.before_1.none': '' },
};

/** What a process that is killed leaves, after so many of the renames. */
function killedAfter(renames: number): void {
  const steps = swaps.flatMap(({ live, fresh, keptAs }) => [
    () => (live.endsWith('new') ? writeFileSync(`${keptAs}.none`, '') : renameSync(live, keptAs)),
    () => renameSync(fresh, live),
  ]);
  for (const step of steps.slice(0, renames)) step();
}

describe.each([0, 1, 2, 3, 4, 5, 6])('killed after %i of 6 steps', (renames) => {
  test('doing it again finishes it, and once more changes nothing', async () => {
    killedAfter(renames);
    await swapFiles(swaps, silentLog);
    expect(seen()).toEqual(after);
    await swapFiles(swaps, silentLog);
    expect(seen()).toEqual(after);
  });

  test('undoing takes it back, and once more changes nothing, with the fresh ones removed, too', async () => {
    killedAfter(renames);
    await swapFilesBack(swaps, silentLog);
    expect(seen()).toEqual(before);
    await swapFilesBack(swaps, silentLog);
    expect(seen()).toEqual(before);
    for (const { fresh } of swaps) rmSync(fresh, { recursive: true });
    await swapFilesBack(swaps, silentLog);
    expect(seen()).toEqual({ media: 'old', 'logo.png': 'old' });
  });
});

test('what the application has made anew in the gap is set aside, with a warning', async () => {
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (line: string) => void warnings.push(line) };
  killedAfter(1);
  put(join(place.path, 'srv/media'), 'made anew');
  await swapFilesBack(swaps, log);
  expect(seen()).toEqual({ ...before, 'media.before_1.meanwhile': 'made anew' });
  expect(warnings).toEqual([
    expect.stringMatching(/media" was made anew meanwhile.*media.before_1.meanwhile"/),
  ]);
});

test('what is to take the place must be there', async () => {
  const [swap] = swaps.slice(2);
  rmSync(swap?.fresh ?? '', { recursive: true });
  await expect(swapFiles(swaps.slice(2), silentLog)).rejects.toMatchObject({ code: 'INPUT_MISSING' });
});

test('what was kept can be dropped for good', async () => {
  await swapFiles(swaps, silentLog);
  await dropKeptFiles(swaps);
  expect(seen()).toEqual({ media: 'fresh', 'logo.png': 'fresh', new: 'fresh' });
});
