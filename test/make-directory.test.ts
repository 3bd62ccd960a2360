import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeDirectory } from '../src/make-directory.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

test('a directory is made with those above it, for this user alone', async () => {
  await using place = await temporaryDirectory();
  await makeDirectory(join(place.path, 'a/b/c'));
  for (const name of ['a', 'a/b', 'a/b/c']) expect(statSync(join(place.path, name)).mode & 0o777).toBe(0o700);
  await makeDirectory(join(place.path, 'a/b/c'));
});

test('one that is there, or that a link leads to, is left as it is', async () => {
  await using place = await temporaryDirectory();
  mkdirSync(join(place.path, 'there'), { mode: 0o755 });
  symlinkSync('there', join(place.path, 'link'));
  await makeDirectory(join(place.path, 'link'));
  await makeDirectory(join(place.path, 'link/new'));
  expect(statSync(join(place.path, 'there')).mode & 0o777).toBe(0o755);
  expect(statSync(join(place.path, 'there/new')).isDirectory()).toBe(true);
});

test.each([
  { what: 'a file in its place', name: 'file', code: 'EEXIST' },
  { what: 'a file above it', name: 'file/below', code: 'ENOTDIR' },
])('what cannot be made is said: $what', async ({ name, code }) => {
  await using place = await temporaryDirectory();
  writeFileSync(join(place.path, 'file'), '');
  await expect(makeDirectory(join(place.path, name))).rejects.toMatchObject({ code });
});

test.runIf(process.platform === 'linux')('where nothing can be made, it does not try for ever', async () => {
  await expect(makeDirectory('/proc/none/below')).rejects.toMatchObject({ code: 'ENOENT' });
});
