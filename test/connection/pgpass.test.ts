import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findPassword, readPgpass } from '../../src/connection/pgpass.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('the first line that fits gives the password', () => {
  const key = { host: 'db', port: 5432, database: 'cms', user: 'me' };
  test.each([
    ['db:5432:cms:me:pw', key, 'pw'],
    ['*:*:*:*:pw', key, 'pw'],
    ['db:5433:cms:me:no\ndb:*:cms:me:yes\n*:*:*:*:late', key, 'yes'],
    ['# db:5432:cms:me:no\n\ndb:5432:cms:me:yes', key, 'yes'],
    ['db:5432:cms:me:pw\r', key, 'pw'],
    ['db:5432:cms:me:a\\:b\\\\c', key, 'a:b\\c'],
    ['db:5432:cms:me:pw:rest is not password', key, 'pw'],
    ['db:5432:cms:me: spaces count ', key, ' spaces count '],
    ['d*:5432:cms:me:pw', key, undefined],
    ['db:5432:cms:me', key, undefined],
    ['DB:5432:cms:me:pw', key, undefined],
    ['::1:5432:cms:me:pw', { ...key, host: '::1' }, undefined],
    ['\\:\\:1:5432:cms:me:pw', { ...key, host: '::1' }, 'pw'],
    ['db:5432:my\\:db:me:pw', { ...key, database: 'my:db' }, 'pw'],
    ['localhost:5432:cms:me:pw', { ...key, host: '/default' }, 'pw'],
    ['/default:5432:cms:me:pw', { ...key, host: '/default' }, undefined],
    ['localhost:5432:cms:me:pw', { ...key, host: '/other' }, undefined],
    ['/other:5432:cms:me:pw', { ...key, host: '/other' }, 'pw'],
    ['localhost:5432:cms:me:pw', { ...key, host: 'localhost' }, 'pw'],
    ['', key, undefined],
  ])('%j for %o', (content, wanted, password) => {
    expect(findPassword(content.split('\n'), wanted, '/default')).toBe(password);
  });
});

describe('a password file that libpq would not use', () => {
  test.each([
    ['readable by others', 0o640, 'others may read it. Fix it with: chmod 0600 '],
    ['writable by others', 0o602, 'others may read it. Fix it with: chmod 0600 '],
  ])('is left alone with a warning: %s', async (_title, mode, reason) => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'pgpass');
    await writeFile(path, '*:*:*:*:s3cret\n');
    await chmod(path, mode);
    const { lines, warnings } = await read(path);
    expect(lines).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining(reason)]);
    expect(warnings.join()).not.toContain('s3cret');
  });

  test('is left alone with a warning: not a plain file', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'pgpass');
    await mkdir(path);
    expect(await read(path)).toEqual({ lines: [], warnings: [expect.stringContaining('not a plain file')] });
  });

  test('is no reason for a warning when it does not exist', async () => {
    expect(await read('/nonexistent/pgpass')).toEqual({ lines: [], warnings: [] });
  });

  async function read(path: string) {
    const warnings: string[] = [];
    const log = { debug() {}, info() {}, warn: (line: string) => void warnings.push(line) };
    return { lines: readPgpass(path, log), warnings };
  }
});
