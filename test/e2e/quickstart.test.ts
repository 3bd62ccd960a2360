import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { runCli, startCli } from '../support/run-cli.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const limits = { timeout: 120_000 };
const waiting = { timeout: 30_000, interval: 100 };

/** A directory that the server's user may enter, so that the server is below it. */
async function openDirectory(): Promise<TemporaryDirectory> {
  const directory = await temporaryDirectory();
  await chmod(directory.path, 0o755);
  return directory;
}

/** Processes whose command line or working directory names `path`; Linux only. */
async function processesOf(path: string): Promise<string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const lines = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines)).filter((line) => line.includes(path));
}

async function expectNothingLeft(directory: string): Promise<void> {
  await vi.waitFor(async () => {
    expect(await readdir(directory)).toEqual([]);
    expect(await processesOf(directory)).toEqual([]);
  }, waiting);
}

describe('quickstart', limits, () => {
  it('shows five tasks from SQL to their results, twice, and leaves nothing', async () => {
    await using directory = await openDirectory();
    for (const _time of ['first', 'second']) {
      const { stdout, stderr, exitCode } = await runCli(['quickstart'], { cwd: directory.path });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toMatch(/^# A private PostgreSQL server in \.tend\/postgres: unix socket only/);
      expect(stdout).toContain('$ tend run-due-tasks --drain\n');
      expect(stdout).toContain('Tick: 5 succeeded.');
      expect(stdout).toContain('To: Ann Lee <ann@example.org>');
      expect(stdout).toContain('pl/LC_MESSAGES/cms.mo: "Read more" is "Czytaj dalej"');
      for (const kind of ['backup', 'compile-translations', 'resize-images', 'send-mail', 'restore']) {
        expect(stdout).toMatch(new RegExp(`^\\d+ +${kind} +succeeded`, 'm'));
      }
      expect(stdout).toContain('\nsessions left: 0\n');
      expect(stdout.split('\n').filter((line) => [...line].length > 100)).toEqual([]);
      expect(await readdir(directory.path)).toEqual([]);
      // What guards the server ends when the program has.
      await expect.poll(() => processesOf(directory.path)).toEqual([]);
    }
  });

  it('prints an object under --json, wherever the server had to go', async () => {
    await using directory = await temporaryDirectory();
    const cwd = join(directory.path, 'a directory with a long name, and a comma/'.repeat(4));
    await mkdir(cwd, { recursive: true });
    await chmod(directory.path, 0o700);
    const { stdout, stderr, exitCode } = await runCli(['quickstart', '--json'], { cwd });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const report: unknown = JSON.parse(stdout);
    expect(report).toMatchObject({
      backup: { id: expect.stringMatching(/^\d{8}T/), isVerified: true },
      restored: { database: 'cms_copy', isEqual: true },
      mail: [expect.stringMatching(/1\.eml$/)],
      images: { length: 3 },
      translations: { length: 3 },
      serverDirectory: expect.stringMatching(/\/tend-quickstart-\w{6}$/),
      sessionsLeft: 0,
      isKept: false,
    });
    expect(await readdir(cwd)).toEqual([]);
    await expect.poll(() => processesOf('/tend-quickstart-')).toEqual([]);
  });

  it('stays with --keep, refuses a second one, and goes with --stop', async () => {
    await using directory = await openDirectory();
    const cwd = directory.path;
    const kept = await runCli(['quickstart', '--keep'], { cwd });
    try {
      expect(kept).toMatchObject({ exitCode: 0, stderr: '' });
      expect(kept.stdout).toContain('$ tend quickstart --stop\n');
      const client = new pg.Client({
        ...{ host: join(cwd, '.tend/postgres'), port: 5432, user: 'cms_app', database: 'cms' },
      });
      client.on('error', () => {});
      await client.connect();
      await client.query(`select tend.enqueue('resize-images', '{"width": 64}')`);
      await expect(client.query('select from tend.tasks')).rejects.toThrow('permission denied');

      const env = { TEND_CONFIG: '.tend/demo/tend.toml' };
      const tick = await runCli(['run-due-tasks', '--json'], { cwd, env });
      expect(JSON.parse(tick.stdout)).toMatchObject({ succeeded: 1 });
      expect(await readdir(join(cwd, '.tend/demo/media/64'))).toHaveLength(3);
      const mail = ['send-mail', '--to', 'bob@example.org', '--subject', 'Hi', '--text', 'Hello'];
      expect(await runCli(mail, { cwd, env })).toMatchObject({ exitCode: 0 });
      expect(await readdir(join(cwd, '.tend/demo/mail'))).toHaveLength(2);

      const second = await runCli(['quickstart'], { cwd });
      expect(second).toMatchObject({ exitCode: 75, stdout: '' });
      expect(second.stderr).toContain('hint: Stop and remove it: tend quickstart --stop');
    } finally {
      // a session that is still open does not keep it from going
      expect(await runCli(['quickstart', '--stop'], { cwd })).toMatchObject({ exitCode: 0 });
    }
    await expectNothingLeft(cwd);
    expect((await runCli(['quickstart', '--stop', '--json'], { cwd })).stdout).toContain(
      '"isRemoved": false',
    );
  });

  it.each([
    ['SIGINT', 'while the server is made', /unix socket only/, 130],
    ['SIGTERM', 'during the tick', /run-due-tasks --drain/, 143],
    ['SIGKILL', 'while the server is made', /unix socket only/, null],
    ['SIGKILL', 'during the tick', /run-due-tasks --drain/, null],
  ] as const)('leaves nothing after %s %s', async (signal, _when, mark, exitCode) => {
    await using directory = await openDirectory();
    const { child, result } = await startCli(['quickstart'], { cwd: directory.path });
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    while (!mark.test(said)) await once(child.stdout ?? child, 'data');
    await sleep(200);
    child.kill(signal);
    expect((await result).exitCode).toBe(exitCode);
    await expectNothingLeft(directory.path);
  });

  it('takes no notice of a state file that names a directory of somebody else', async () => {
    await using directory = await openDirectory();
    const foreign = join(directory.path, 'foreign');
    await mkdir(foreign);
    await mkdir(join(directory.path, '.tend'));
    const state = { pid: 2 ** 30, serverDirectory: foreign, isKept: true };
    await writeFile(join(directory.path, '.tend/quickstart.json'), JSON.stringify(state));
    await writeFile(join(directory.path, '.tend/mine'), 'not of the quickstart');
    expect(await runCli(['quickstart', '--stop'], { cwd: directory.path })).toMatchObject({ exitCode: 0 });
    expect((await readdir(directory.path)).toSorted()).toEqual(['.tend', 'foreign']);
    expect(await readdir(join(directory.path, '.tend'))).toEqual(['mine']);
  });

  it.runIf(process.platform === 'linux')('says so where it cannot write, exit code 73', async () => {
    const { exitCode, stderr } = await runCli(['quickstart'], { cwd: '/proc' });
    expect(exitCode).toBe(73);
    expect(stderr).toContain('"/proc/.tend" cannot be written');
  });

  it('fails when a task does, names it, and still leaves nothing', async () => {
    await using directory = await openDirectory();
    const bin = join(directory.path, 'bin');
    await mkdir(bin);
    // The application's command needs sed: without it the task fails, and is the only one to.
    await writeFile(join(bin, 'sed'), '#!/bin/sh\nexit 77\n', { mode: 0o755 });
    const cwd = join(directory.path, 'site');
    await mkdir(cwd);
    const { exitCode, stderr } = await runCli(['quickstart'], {
      cwd,
      env: { PATH: `${bin}:/usr/bin:/bin` },
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('"tend run-due-tasks --drain" failed with exit code 3');
    expect(stderr).toContain('(resize-images) failed');
    await expectNothingLeft(cwd);
  });
});
