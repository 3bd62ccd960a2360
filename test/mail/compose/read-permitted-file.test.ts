import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attachmentAllowance } from '../../../src/mail/compose/attachment-allowance.ts';
import { readPermittedFile } from '../../../src/mail/compose/read-permitted-file.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';

let directory: TemporaryDirectory;

beforeEach(async () => {
  directory = await temporaryDirectory();
  for (const name of ['media/2026', 'media-evil', 'secret']) {
    await mkdir(join(directory.path, name), { recursive: true });
  }
  for (const name of ['media/a.txt', 'media/2026/b.txt', 'media/..c', 'media-evil/key', 'secret/key']) {
    await writeFile(join(directory.path, name), name);
  }
  await symlink('../secret/key', join(directory.path, 'media/link-to-key'));
  await symlink('../secret', join(directory.path, 'media/link-to-secret'));
  await symlink('../secret/nothing', join(directory.path, 'media/link-to-nothing'));
  await symlink('loop', join(directory.path, 'media/loop'));
  await symlink('2026/b.txt', join(directory.path, 'media/link-inside'));
  await symlink('media', join(directory.path, 'link-to-media'));
});
afterEach(async () => await directory[Symbol.asyncDispose]());

async function read(path: string, attachmentsFrom: string[] = ['media']): Promise<string> {
  const content = await readPermittedFile({
    path: path.replace('BASE', directory.path),
    baseDirectory: directory.path,
    attachmentsFrom: attachmentsFrom.map((name) => join(directory.path, name)),
    allowance: attachmentAllowance(),
    signal: new AbortController().signal,
  });
  return content.toString();
}

describe('a payload may name', () => {
  it.each<[string, string, string[]?]>([
    ['media/a.txt', 'media/a.txt'],
    ['BASE/media/2026/b.txt', 'media/2026/b.txt'],
    ['media/2026/../a.txt', 'media/a.txt'],
    ['secret/../media/a.txt', 'media/a.txt'],
    ['media/..c', 'media/..c'],
    ['media/link-inside', 'media/2026/b.txt'],
    ['link-to-media/a.txt', 'media/a.txt'],
    ['media/a.txt', 'media/a.txt', ['link-to-media']],
    ['media/a.txt', 'media/a.txt', ['media/']],
    ['secret/key', 'secret/key', ['gone', 'media', 'secret']],
    ['media/link-to-key', 'secret/key', ['media', 'secret']],
  ])('%j', async (path, content, attachmentsFrom) => {
    expect(await read(path, attachmentsFrom)).toBe(content);
  });
});

describe('a payload may not name', () => {
  it.each<[string, string[]?]>([
    ['secret/key'],
    ['BASE/secret/key'],
    ['media/../secret/key'],
    ['media/2026/../../secret/key'],
    ['media/link-to-key'],
    ['media/link-to-secret/key'],
    ['media/link-to-secret/nothing'],
    ['media/link-to-nothing'],
    ['media/loop'],
    ['media-evil/key'],
    ['BASE/media-evil/key'],
    ['media/../media-evil/key'],
    ['/etc/passwd'],
    ['/etc/nothing'],
    ['/proc/self/environ'],
    ['/proc/self/fd/0'],
    ['/dev/zero'],
    ['media'],
    ['.'],
    ['media/nothing'],
    ['media/a.txt/b'],
    ['media/a\u0000b'],
    [`media/${'x'.repeat(300)}`],
    ['media/a.txt', []],
    ['media/a.txt', ['gone']],
    ['secret/key', ['media/link-to-nothing']],
  ])('%j', async (path, attachmentsFrom = ['media']) => {
    const named = path.replace('BASE', directory.path);
    await expect(read(path, attachmentsFrom)).rejects.toThrowError(
      expect.objectContaining({
        code: 'MAIL_MESSAGE_INVALID',
        isPermanent: true,
        message: `The attachment ${JSON.stringify(named)} was not read: ${
          attachmentsFrom.length === 0
            ? '[mail] attachments_from in tend.toml names no directory'
            : 'it is not a readable file inside a directory of [mail] attachments_from in tend.toml'
        }.`,
      }),
    );
  });

  it('a file that says it is empty and is not, even where everything is permitted', async () => {
    const options = { baseDirectory: '/', attachmentsFrom: ['/'], allowance: attachmentAllowance() };
    const { signal } = new AbortController();
    await expect(readPermittedFile({ ...options, path: '/proc/self/environ', signal })).rejects.toThrowError(
      'its size is not known',
    );
  });

  it('a directory or a pipe, and nobody waits for one', async () => {
    execFileSync('mkfifo', [join(directory.path, 'media/pipe')]);
    await expect(read('media/pipe')).rejects.toThrowError('it is not a regular file');
    await expect(read('media/2026')).rejects.toThrowError(
      expect.objectContaining({ code: 'INPUT_MISSING', isPermanent: true }),
    );
    await expect(read('secret', ['.'])).rejects.toThrowError('it is not a regular file');
  });

  it('more than 50 MiB, which are never read', async () => {
    await truncate(join(directory.path, 'media/a.txt'), 2 ** 40);
    await expect(read('media/a.txt')).rejects.toThrowError('larger than 50 MiB together (at "media/a.txt")');
  });
});

it('never reads outside while a directory and a symbolic link take turns under one name', async () => {
  const media = join(directory.path, 'media');
  await mkdir(join(media, 'turning'));
  await writeFile(join(media, 'turning/key'), 'public');
  await symlink('../secret', join(media, 'link'));
  const turns = `const { renameSync } = require('node:fs');
    for (;;) for (const [from, to] of [['turning', 'away'], ['link', 'turning'], ['turning', 'link'], ['away', 'turning']])
      renameSync(from, to);`;
  const child = spawn(process.execPath, ['-e', turns], { cwd: media, stdio: 'ignore' });
  const seen = new Set<string>();
  try {
    for (let attempt = 0; attempt < 5000; attempt += 1) {
      seen.add(await read('media/turning/key').catch((error: { code: string }) => error.code));
    }
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  // 'public', or the one refusal: neither the secret nor a sign of whether it is there
  expect([...seen].filter((answer) => !['public', 'MAIL_MESSAGE_INVALID'].includes(answer))).toEqual([]);
});
