import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCron } from '../../src/schedules/parse-cron.ts';
import { createQueueSite, type QueueSite } from '../e2e/queue-site.ts';
import { blockTitled, fencedBlocks } from '../support/fenced-blocks.ts';

/** The crontabs of docs/operations.md: their form, and their commands run as cron runs them. */
const blocks = await fencedBlocks('docs/operations.md');
const systemCrontab = '/etc/cron.d/cms';
const userCrontab = 'crontab -e';

interface Entry {
  cron: string;
  user: string | undefined;
  command: string;
}

let site: QueueSite;

beforeAll(async () => {
  site = await createQueueSite('[backup]\ndirectory = "backups"\n');
  await mkdir(join(site.path, 'bin'));
  await mkdir(join(site.path, 'home'));
  const node = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin/node');
  const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
  await writeFile(join(site.path, 'bin/tend'), `#!/bin/sh\nexec ${node} ${program} "$@"\n`);
  await chmod(join(site.path, 'bin/tend'), 0o755);
});
afterAll(async () => await site[Symbol.asyncDispose]());

/** As crontab(5) has it: settings, and entries with their five fields. */
function parseCrontab(title: string): { settings: Map<string, string>; entries: Entry[] } {
  const settings = new Map<string, string>();
  const entries: Entry[] = [];
  for (const line of blockTitled(blocks, title).text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) {
      settings.set(name, value);
      continue;
    }
    const [, cron = '', rest = ''] = /^((?:\S+\s+){5})(.*)$/.exec(line) ?? [];
    const [, user, command = rest] = title === systemCrontab ? (/^(\S+)\s+(.*)$/.exec(rest) ?? []) : [];
    entries.push({ cron: cron.trim(), user, command });
  }
  return { settings, entries };
}

/** As cron does it: in the home directory, with its five variables and those of the crontab, `%` being special. */
async function runAsCron(title: string, command: string) {
  const here = (text: string) =>
    text.replaceAll('/srv/cms', site.path).replaceAll('/usr/local/bin', join(site.path, 'bin'));
  const settings = [...parseCrontab(title).settings].map(([name, value]) => [name, here(value)]);
  const [line = '', ...input] = here(command).split(/(?<!\\)%/);
  const home = join(site.path, 'home');
  const env = { PATH: '/usr/bin:/bin', HOME: home, LOGNAME: 'cms', SHELL: '/bin/sh' };
  const running = promisify(execFile)('/bin/sh', ['-c', line.replaceAll('\\%', '%')], {
    cwd: home,
    env: { ...env, ...Object.fromEntries(settings) },
  });
  running.child.stdin?.on('error', () => {}); // a program that does not read its input is allowed to go
  running.child.stdin?.end(input.join('\n'));
  return await running;
}

async function ticks(): Promise<number> {
  const rows = await site.database.query<{ ticks: number }>(
    'select coalesce(sum(ticks), 0) as ticks from tend.hosts',
  );
  return Number(rows[0]?.ticks);
}

describe.each([systemCrontab, userCrontab])('%s', (title) => {
  it('has settings without variables, and five fields before each command', () => {
    const { settings, entries } = parseCrontab(title);
    expect([...settings.values()].filter((value) => value.includes('$'))).toEqual([]);
    expect(settings.get('PATH')).toMatch(/^\/usr\/local\/bin:/);
    expect(settings.get('MAILTO')).toBe('ops@example.org');
    for (const { cron } of entries) expect(parseCron(cron)).not.toHaveProperty('problem');
    expect(entries[0]?.cron).toBe('* * * * *');
    expect(blockTitled(blocks, title).text).toMatch(/\S\n$/);
  });

  it('ticks, and says nothing about it', async () => {
    const before = await ticks();
    const { stdout, stderr } = await runAsCron(title, parseCrontab(title).entries[0]?.command ?? '');
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
    expect(await ticks()).toBe(before + 1);
  });
});

it('the file in /etc/cron.d has a name that cron reads, and a user in each line', () => {
  expect(basename(systemCrontab)).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(parseCrontab(systemCrontab).entries.map(({ user }) => user)).toEqual(['cms']);
});

it('a percent sign reaches the command, by its backslash', async () => {
  const command = parseCrontab(userCrontab).entries[1]?.command ?? '';
  await runAsCron(userCrontab, command);
  const { stdout } = await site.tend(['backup', 'list', '--json']);
  expect(stdout).toMatch(/"month-\d{4}-\d\d"/);
  await expect(runAsCron(userCrontab, command.replaceAll('\\%', '%'))).rejects.toThrow('Command failed');
});

it('crontab(1) accepts the crontab of a user', async ({ skip }) => {
  const usage = spawnSync('/usr/bin/crontab', ['-h'], { encoding: 'utf8' });
  const canCheck = /-n\s+\(dry run/.test(`${usage.stdout}${usage.stderr}`);
  skip(!canCheck, "Debian's crontab is missing: apt-get install --no-install-recommends cron");
  const file = join(site.path, 'crontab');
  await writeFile(file, blockTitled(blocks, userCrontab).text);
  const { status, stderr } = spawnSync('/usr/bin/crontab', ['-n', file], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  await writeFile(file, blockTitled(blocks, userCrontab).text.replace('22', '25'));
  expect(spawnSync('/usr/bin/crontab', ['-n', file]).status).not.toBe(0);
});
