import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { withoutConfig } from '../../src/config/load-config.ts';
import { describeTickCall } from '../../src/crontab/describe-tick-call.ts';
import { blockTitled, fencedBlocks } from '../support/fenced-blocks.ts';
import { runCli, runCliOnTerminal } from '../support/run-cli.ts';
import { type CommandResult, runCommand } from '../support/run-command.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const entry = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const tick = (config: string) => `${process.execPath} ${entry} run-due-tasks --config ${config}`;
const foreign = 'MAILTO=""\n# backups of the host\n7 3 * * *  /usr/bin/rsync -a / backup:\n';

let directory: TemporaryDirectory;
let site: string;
let config: string;
let spool: string;
let env: Record<string, string>;

/** crontab(1) as far as it matters here: one crontab, and the messages of Debian's. */
const program = `#!/bin/sh
case "$1" in
  -l) [ -f "$HOME/spool" ] || { echo "no crontab for nobody" >&2; exit 1; }; cat "$HOME/spool" ;;
  -) cat > "$HOME/new"; grep -q refused "$HOME/new" && { echo "errors in crontab file, can't install." >&2; exit 1; }
     mv "$HOME/new" "$HOME/spool" ;;
  *) exit 64 ;;
esac
`;

beforeAll(async () => {
  directory = await temporaryDirectory();
  site = join(directory.path, 'cms');
  config = join(site, 'tend.toml');
  spool = join(directory.path, 'spool');
  await mkdir(site);
  await mkdir(join(directory.path, 'bin'));
  await writeFile(join(directory.path, 'bin/crontab'), program);
  await chmod(join(directory.path, 'bin/crontab'), 0o755);
  env = { PATH: `${directory.path}/bin:/usr/bin:/bin`, HOME: directory.path };
});
afterAll(async () => await directory[Symbol.asyncDispose]());
beforeEach(async () => {
  await writeFile(config, '[backup]\ndirectory = "/var/backups/cms"\n');
  await writeFile(spool, foreign);
});

async function tend(...args: string[]): Promise<CommandResult> {
  return await runCommand(['crontab', ...args], { cwd: site, env });
}

/** The settings of a unit file, in order; comments left out. */
function settings(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('crontab', () => {
  it('prints a file for /etc/cron.d with settings, a user, and absolute paths only', async () => {
    const { stdout, exitCode } = await tend('--run-as', 'cms', '--mail-to', 'ops@example.org');
    expect(exitCode).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[1]).toBe('SHELL=/bin/sh');
    expect(lines[2]).toMatch(/^PATH=\/usr\/local\/bin:\/usr\/bin:\/bin/);
    expect(lines.slice(3)).toEqual(['MAILTO=ops@example.org', `* * * * *  cms  ${tick(config)}`, '']);
  });

  it('gives a user’s crontab no setting that would hold for the lines of others', async () => {
    const { stdout } = await tend('--user');
    expect(stdout).toMatch(/^\* \* \* \* \* {2}\/usr\/bin\/env PATH=\/usr\/local\/bin:\S+ /);
    expect(stdout.endsWith(` ${tick(config)}\n`)).toBe(true);
    expect(stdout.split('\n')).toHaveLength(2);
  });

  it('escapes what cron, a shell and systemd would take for something else', async () => {
    const strange = join(directory.path, '5% of $HOME');
    await mkdir(strange, { recursive: true });
    await writeFile(join(strange, 'tend.toml'), '');
    const print = (...args: string[]) => runCommand(['crontab', ...args], { cwd: strange, env });
    expect((await print('--user')).stdout).toContain(`'${directory.path}/5\\% of $HOME/tend.toml'`);
    const { stdout } = await print('--systemd');
    expect(stdout).toContain(`"${directory.path}/5%% of $$HOME/tend.toml"`);
    expect(stdout).toContain(`WorkingDirectory=${directory.path}/5%% of $HOME\n`);
  });

  it('prints the units that the manual explains', async () => {
    const { stdout } = await tend('--systemd', '--run-as', 'cms', '--json');
    const { files, commands }: { files: { path: string; text: string }[]; commands: string[] } =
      JSON.parse(stdout);
    const blocks = await fencedBlocks('docs/operations.md');
    expect(files).toHaveLength(2);
    for (const { path, text } of files) {
      const own = (line: string) =>
        !/^(Description|Environment|ExecStart|WorkingDirectory|ReadWrite)/.test(line);
      expect(settings(text).filter(own)).toEqual(settings(blockTitled(blocks, path).text).filter(own));
    }
    expect(files[0]?.text).toContain(`\nExecStart=${tick(config)}\n`);
    expect(files[0]?.text).toContain(`\nReadWritePaths=${site} /var/backups/cms\n`);
    expect(commands.join('\n')).toBe(blockTitled(blocks, 'as root').text.trimEnd());
  });

  it('prints units that systemd-analyze has nothing to say about', async ({ skip }) => {
    skip(spawnSync('/usr/bin/systemd-analyze', ['--version']).status !== 0, 'systemd-analyze is missing');
    const { stdout } = await tend('--systemd', '--run-as', 'root', '--json');
    const { files }: { files: { path: string; text: string }[] } = JSON.parse(stdout);
    const paths = files.map(({ path }) => join(directory.path, path.split('/').at(-1) ?? ''));
    for (const [index, { text }] of files.entries()) await writeFile(paths[index] ?? '', text);
    const instance = (path: string) => path.replace('@.', '@20.');
    const { stderr } = spawnSync('/usr/bin/systemd-analyze', ['verify', '--man=no', ...paths.map(instance)], {
      encoding: 'utf8',
    });
    expect(stderr.split('\n').filter((line) => line.includes('cms-tend'))).toEqual([]);
  });

  it('prints the CronJob that the manual explains', async () => {
    const { stdout } = await tend('--kubernetes', '--image', 'registry.example.org/cms:1.42');
    const documented = blockTitled(await fencedBlocks('docs/operations.md'), 'cronjob.yaml').text;
    const command = `[tend, run-due-tasks, --config, ${config}]`;
    const here = documented
      .replace('[tend, run-due-tasks]', command)
      .replace('workingDir: /srv/cms', `workingDir: ${site}`);
    expect(parse(stdout)).toEqual(parse(here));
  });

  it.each([
    ['--mail-to', 'a b@example.org'],
    ['--run-as', 'cms root'],
    ['--name', 'CMS/../x'],
  ])('refuses %s "%s", which would be something else in a crontab', async (flag, value) => {
    expect(await tend(flag, value)).toMatchObject({ exitCode: 64, stdout: '' });
  });

  it('refuses to put a copy in npm’s cache into a crontab', () => {
    const loadedConfig = { ...withoutConfig(site), configPath: config };
    const options = { loadedConfig, choices: {}, osUser: 'cms', entry };
    expect(() => describeTickCall({ ...options, node: '/home/cms/.npm/_npx/1f/node' })).toThrow(
      expect.objectContaining({ code: 'USAGE', hint: expect.stringContaining('npm install --global') }),
    );
  });

  it('says where a configuration comes from when there is none', async () => {
    const { stderr, exitCode } = await runCommand(['crontab'], { cwd: directory.path, env });
    expect({ stderr, exitCode }).toMatchObject({
      exitCode: 78,
      stderr: expect.stringContaining('tend init'),
    });
  });
});

describe('crontab install', () => {
  it('adds marked lines, leaves all others as they are, and changes nothing the second time', async () => {
    const first = await tend('install', '--yes');
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(first.stdout).toContain(`+# BEGIN tend ${config}\n+* * * * *  /usr/bin/env`);
    const installed = await readFile(spool, 'utf8');
    expect(installed.startsWith(foreign)).toBe(true);
    expect(installed.endsWith(` ${tick(config)}\n# END tend ${config}\n`)).toBe(true);

    const second = await tend('install', '--json');
    expect(JSON.parse(second.stdout)).toMatchObject({ isChanged: false, isDryRun: false, diff: [] });
    expect(await readFile(spool, 'utf8')).toBe(installed);
  });

  it('sets MAILTO back for the lines below, to what it was above', async () => {
    await tend('install', '--yes', '--mail-to', 'ops@example.org');
    const lines = (await readFile(spool, 'utf8')).split('\n');
    expect(lines.filter((line) => line.startsWith('MAILTO'))).toEqual([
      'MAILTO=""',
      'MAILTO=ops@example.org',
      'MAILTO=""',
    ]);
  });

  it('brings its own lines up to date where they stand, and shows how', async () => {
    await tend('install', '--yes');
    await writeFile(spool, `${await readFile(spool, 'utf8')}5 4 * * *  true\n`);
    const { stdout } = await tend('install', '--yes', '--mail-to', 'ops@example.org');
    expect(stdout.split('\n').filter((line) => /^[+-]/.test(line))).toEqual([
      expect.stringMatching(/^-\* \* \* \* \* /),
      '+MAILTO=ops@example.org',
      expect.stringMatching(/^\+\* \* \* \* \* /),
      '+MAILTO=""',
    ]);
    expect((await readFile(spool, 'utf8')).endsWith('\n5 4 * * *  true\n')).toBe(true);
  });

  it('makes a crontab for a user who has none, and one for two sites', async () => {
    await rm(spool);
    const other = join(directory.path, 'shop');
    await mkdir(other, { recursive: true });
    await writeFile(join(other, 'tend.toml'), '');
    await tend('install', '--yes');
    await runCommand(['crontab', 'install', '--yes'], { cwd: other, env });
    expect((await readFile(spool, 'utf8')).match(/^# BEGIN tend .*$/gm)).toHaveLength(2);
    await tend('remove', '--yes');
    expect((await readFile(spool, 'utf8')).match(/^# (BEGIN|END) tend .*$/gm)).toEqual([
      `# BEGIN tend ${other}/tend.toml`,
      `# END tend ${other}/tend.toml`,
    ]);
  });

  it('changes nothing without consent, or with --dry-run', async () => {
    const refused = await tend('install');
    expect(refused).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('Add: --yes') });
    const dry = await tend('install', '--dry-run', '--json');
    expect(JSON.parse(dry.stdout)).toMatchObject({ isChanged: false, isDryRun: true });
    expect(await readFile(spool, 'utf8')).toBe(foreign);
  });

  it('asks at a terminal, and takes Enter for no', async () => {
    const options = { cwd: site, env, typedAt: '[y/N]' };
    const no = await runCliOnTerminal(['crontab', 'install'], { ...options, stdin: '\n' });
    expect(no.stdout).toContain('Nothing was changed');
    expect(await readFile(spool, 'utf8')).toBe(foreign);
    await runCliOnTerminal(['crontab', 'install'], { ...options, stdin: 'y\n' });
    expect(await readFile(spool, 'utf8')).toContain('# BEGIN tend');
  });

  it('touches nothing where the markers are not a pair', async () => {
    const broken = `${foreign}# BEGIN tend ${config}\n9 9 * * *  true\n`;
    await writeFile(spool, broken);
    expect((await tend('install', '--yes')).exitCode).toBe(65);
    expect((await tend('remove', '--yes')).exitCode).toBe(65);
    expect(await readFile(spool, 'utf8')).toBe(broken);
  });

  it('tells what crontab(1) said when that refuses', async () => {
    await writeFile(spool, `${foreign}# refused\n`);
    const { exitCode, stderr } = await tend('install', '--yes');
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("can't install"),
    });
  });

  it('says what to do where there is no crontab(1)', async ({ skip }) => {
    skip(spawnSync('sh', ['-c', 'command -v crontab']).status === 0, 'this host has one');
    const { exitCode, stderr } = await runCli(['crontab', 'install', '--yes'], { cwd: site });
    expect(exitCode).toBe(78);
    expect(stderr).toContain('There is no program "crontab" on this host');
  });

  it('writes a file of /etc/cron.d whole, readable for cron, under a name that cron reads', async () => {
    const folder = join(directory.path, 'cron.d');
    await mkdir(folder);
    const file = join(folder, 'tend');
    const args = ['--file', file, '--run-as', 'cms', '--yes'];
    expect((await tend('install', ...args)).exitCode).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o644);
    expect(await readFile(file, 'utf8')).toContain(`\nMAILTO=cms\n* * * * *  cms  ${tick(config)}\n`);
    expect(await readdir(folder)).toEqual(['tend']);
    expect((await tend('install', '--file', join(folder, 'tend.cron'), '--yes')).exitCode).toBe(64);
    expect((await tend('install', '--file', join(folder, 'none/tend'), '--yes')).exitCode).toBe(73);
    await tend('remove', '--file', file, '--yes');
    expect(await readFile(file, 'utf8')).toBe('');
  });
});

describe('crontab remove', () => {
  it('gives back the crontab as it was, whatever became of tend.toml', async () => {
    await tend('install', '--yes');
    await writeFile(config, 'broken = = toml');
    expect(await tend('remove', '--yes')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await readFile(spool, 'utf8')).toBe(foreign);
    const again = await tend('remove', '--config', '/gone/tend.toml', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ isChanged: false });
  });
});
