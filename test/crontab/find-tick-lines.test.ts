import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCallers } from '../../src/crontab/find-callers.ts';
import { findTickLines } from '../../src/crontab/find-tick-lines.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

let directory: TemporaryDirectory;
let systemDirectory: string;
const configPath = '/srv/cms/tend.toml';

beforeAll(async () => {
  directory = await temporaryDirectory();
  systemDirectory = join(directory.path, 'cron.d');
  await mkdir(systemDirectory);
});
afterAll(async () => await directory[Symbol.asyncDispose]());

const options = () => ({
  ...{ configPath, osUser: 'root', owner: undefined, env: { PATH: directory.path }, systemDirectory },
  signal: new AbortController().signal,
});

async function linesOf(text: string): Promise<{ user: string; isInstalled: boolean }[]> {
  await writeFile(join(systemDirectory, 'cms'), text);
  return (await findTickLines(options())).map(({ user, isInstalled }) => ({ user, isInstalled }));
}

describe('the ticks of a site are found in /etc/cron.d', () => {
  it.each([
    ['by --config', '* * * * * cms tend run-due-tasks --config /srv/cms/tend.toml'],
    ['by cd', '* * * * * cms cd /srv/cms && tend run-due-tasks'],
    ['by a folder below the site', '* * * * * cms cd /srv/cms/app && tend run-due-tasks'],
    ['by TEND_CONFIG', 'TEND_CONFIG=/srv/cms/tend.toml\n* * * * * cms tend run-due-tasks'],
    ['by the home of the user', 'HOME=/srv/cms\n* * * * * cms tend run-due-tasks'],
  ])('%s', async (_how, text) => {
    expect(await linesOf(`${text}\n`)).toEqual([{ user: 'cms', isInstalled: false }]);
  });

  it('with whether tend has put them there', async () => {
    const line = '* * * * * cms tend run-due-tasks --config /srv/cms/tend.toml';
    const block = `# BEGIN tend ${configPath}\n${line}\n# END tend ${configPath}\n${line}\n`;
    expect((await linesOf(block)).map(({ isInstalled }) => isInstalled)).toEqual([true, false]);
  });

  it.each([
    ['of another site', '* * * * * cms tend run-due-tasks --config /srv/shop/tend.toml'],
    ['of another directory', '* * * * * cms cd /srv/cms2 && tend run-due-tasks'],
    ['of another command', '* * * * * cms cd /srv/cms && tend backup'],
    ['that are comments', '# * * * * * cms cd /srv/cms && tend run-due-tasks'],
  ])('but not those %s', async (_which, text) => {
    expect(await linesOf(`${text}\n`)).toEqual([]);
  });

  it('but not in a file that cron does not read for the dot in its name', async () => {
    await writeFile(join(systemDirectory, 'cms'), '');
    await writeFile(join(systemDirectory, 'cms.bak'), '* * * * * cms cd /srv/cms && tend run-due-tasks\n');
    expect(await findTickLines(options())).toEqual([]);
  });
});

it('a service of systemd is found by its words', async () => {
  const unitDirectory = directory.path;
  const unit = join(unitDirectory, 'cms-tend@.service');
  expect((await findCallers({ ...options(), unitDirectory })).unit).toBeUndefined();
  await writeFile(unit, `ExecStart=/usr/bin/node /x/run.js run-due-tasks --config ${configPath}\n`);
  expect((await findCallers({ ...options(), unitDirectory })).unit).toBe(unit);
});
