import { chmod, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writePage } from '../../src/report/write-page.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

it('replaces the page as a whole, readable for everybody, and leaves nothing beside it', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'status.html');
  await writeFile(path, 'old');
  await chmod(path, 0o600);
  const before = await stat(path);
  await writePage({ path, page: 'new' });
  const after = await stat(path);
  expect(await readFile(path, 'utf8')).toBe('new');
  expect(after.mode & 0o777).toBe(0o644);
  expect(after.ino).not.toBe(before.ino);
  expect(await readdir(directory.path)).toEqual(['status.html']);
});

it('says which file cannot be written and why, and leaves nothing there', async () => {
  await using directory = await temporaryDirectory();
  const missing = join(directory.path, 'missing', 'status.html');
  await expect(writePage({ path: missing, page: '' })).rejects.toMatchObject({
    code: 'OUTPUT_UNWRITABLE',
    message: expect.stringMatching(/^".*\/missing\/status\.html" cannot be written: ENOENT/),
    hint: expect.stringContaining('ls -ld'),
  });
  const taken = join(directory.path, 'taken');
  await mkdir(join(taken, 'full'), { recursive: true });
  await expect(writePage({ path: taken, page: '' })).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE' });
  expect(await readdir(directory.path)).toEqual(['taken']);
});

it('removes what a killed writer left, and not what another one writes now', async () => {
  await using directory = await temporaryDirectory();
  const [old, fresh] = ['.a.html.tend-1', '.a.html.tend-2'].map((name) => join(directory.path, name));
  if (old === undefined || fresh === undefined) throw new Error('no names');
  await writeFile(old, '');
  await utimes(old, 0, 0);
  await writeFile(fresh, '');
  await writePage({ path: join(directory.path, 'a.html'), page: '' });
  expect((await readdir(directory.path)).toSorted()).toEqual(['.a.html.tend-2', 'a.html']);
});
