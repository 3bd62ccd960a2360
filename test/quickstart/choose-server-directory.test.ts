import { chmod, mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseServerDirectory, problemOfPath } from '../../src/quickstart/choose-server-directory.ts';
import { isServerDirectory, quickstartPlaces } from '../../src/quickstart/quickstart-places.ts';
import { findServerUser } from '../../src/quickstart/server-user.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const { signal } = new AbortController();
const env = { PATH: '/usr/bin:/bin' };
const uid = process.getuid?.();

async function choose(cwd: string): Promise<string> {
  const places = quickstartPlaces(cwd);
  await mkdir(places.root, { recursive: true });
  const user = await findServerUser({ uid, env, signal });
  return await chooseServerDirectory({ places, user, env, signal });
}

describe('a path', () => {
  it.each([
    ['/home/ann/site/.tend/postgres', undefined],
    [`/${'a'.repeat(88)}`, undefined],
    [`/${'a'.repeat(89)}`, 'the path is too long for a socket'],
    [`/${'ż'.repeat(50)}`, 'the path is too long for a socket'],
    ['/home/ann/my site', 'the path has characters that connection strings cannot hold'],
    ['/home/a,b', 'the path has characters that connection strings cannot hold'],
    ["/home/it's", 'the path has characters that connection strings cannot hold'],
  ])('%s: %s', (path, problem) => {
    expect(problemOfPath(path)).toBe(problem);
  });
});

describe('the directory of the server', () => {
  it('is below the working directory, for its user alone', async () => {
    await using directory = await temporaryDirectory();
    await chmod(directory.path, 0o755);
    const chosen = await choose(directory.path);
    expect(chosen).toBe(join(directory.path, '.tend/postgres'));
    expect((await stat(chosen)).mode & 0o777).toBe(0o700);
  });

  it('is in the temporary directory where the path is too long', async () => {
    await using directory = await temporaryDirectory();
    await chmod(directory.path, 0o755);
    const cwd = join(directory.path, 'long-name/'.repeat(12));
    await mkdir(cwd, { recursive: true });
    const chosen = await choose(cwd);
    expect(isServerDirectory(quickstartPlaces(cwd), chosen)).toBe(true);
    expect(chosen).not.toContain(directory.path);
    await rm(chosen, { recursive: true });
  });

  it.runIf(uid === 0)('is in the temporary directory where root’s server user cannot get', async () => {
    await using directory = await temporaryDirectory();
    await chmod(directory.path, 0o700);
    const chosen = await choose(directory.path);
    expect(chosen).not.toContain(directory.path);
    expect((await stat(chosen)).uid).not.toBe(0);
    await expect(stat(join(directory.path, '.tend/postgres'))).rejects.toThrow('ENOENT');
    await rm(chosen, { recursive: true });
  });
});

describe('what a state file names as the server’s directory', () => {
  const places = quickstartPlaces('/home/ann');
  it.each([
    ['/home/ann/.tend/postgres', true],
    ['/tmp/tend-quickstart-aB3xY9', true],
    ['/etc', false],
    ['/home/ann', false],
    ['/home/ann/.tend/postgres/..', false],
    ['/tmp/tend-quickstart-aB3xY9/../../etc', false],
    ['', false],
  ])('%j may be removed: %s', (directory, expected) => {
    expect(isServerDirectory(places, directory)).toBe(expected);
  });
});
