import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/exit-codes.ts';
import { runCli } from '../support/run-cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const canary = 'canary-4711';

describe('a mistake in the command line', () => {
  it.each([
    { what: 'an unknown flag', args: ['config', '--bogus'], message: 'Nonexistent flag: --bogus' },
    {
      what: 'a word that is no command',
      args: ['config', 'validate', 'x'],
      message: '"config validate x" is not a command',
    },
    {
      what: 'a flag without its value',
      args: ['config', '--config'],
      message: 'Flag --config expects a value',
    },
    { what: 'flags that exclude each other', args: ['config', '-q', '-v'], message: '--quiet' },
    { what: 'an unknown command', args: ['cofnig'], message: '"cofnig" is not a command of tend' },
  ])('is exit code 64 and one line, in words and in JSON: $what', async ({ args, message }) => {
    const inWords = await runCli(args);
    expect(inWords).toMatchObject({ exitCode: 64, stdout: '' });
    expect(inWords.stderr.split('\n')[0]).toMatch(/^tend: /);
    expect(inWords.stderr).toContain(message);

    const inJson = await runCli([...args, '--json']);
    const { error } = JSON.parse(inJson.stdout);
    expect(Object.keys(error)).toEqual(['code', 'message', 'hint', 'exitCode']);
    expect(error).toMatchObject({ code: 'USAGE', exitCode: 64, message: expect.stringContaining(message) });
    expect(inJson.stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('names the nearest command', async () => {
    expect((await runCli(['config', 'vaildate'])).stderr).toContain(
      'hint: did you mean "tend config validate"?',
    );
    expect((await runCli(['cofnig'])).stderr).toContain('hint: did you mean "tend config"?');
  });

  it.each([
    { line: 'help stauts', words: 'stauts', hint: 'did you mean "tend help status"?' },
    { line: 'help tasks shwo', words: 'tasks shwo', hint: 'did you mean "tend help tasks show"?' },
    { line: 'nonsense --help', words: 'nonsense', hint: 'tend --help' },
  ])(
    'of a help request is said as any other, with exit code 64: tend $line',
    async ({ line, words, hint }) => {
      const args = line.split(' ');
      const message = `"${words}" is not a command of tend`;
      expect(await runCli(args)).toMatchObject({
        ...{ exitCode: 64, stdout: '', stderr: `tend: ${message}\nhint: ${hint}\n` },
      });
      const logged = await runCli(args, { env: { TEND_LOG_FORMAT: 'json' } });
      expect(logged).toMatchObject({ exitCode: 64, stdout: '' });
      expect(JSON.parse(logged.stderr)).toMatchObject({
        level: 'error',
        code: 'USAGE',
        exitCode: 64,
        message,
        hint,
      });
    },
  );

  it('of help itself is said as any other', async () => {
    const { exitCode, stdout, stderr } = await runCli(['help', 'status', '--json']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 64, stderr: 'tend: Nonexistent flag: --json\n' });
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'USAGE', hint: 'tend help --help' });
  });
});

describe('a disk that is full', () => {
  it.each([
    { line: 'config', exitCode: 73, words: 'The output cannot be written: ENOSPC' },
    { line: 'config --json', exitCode: 73, words: 'The output cannot be written: ENOSPC' },
    { line: 'config --bogus --json', exitCode: 64, words: 'Nonexistent flag: --bogus' },
  ])('is one line and exit code $exitCode: tend $line > /dev/full', async ({ line, exitCode, words }) => {
    const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
    const script = `"$0" "$1" ${line} > /dev/full`;
    const failed = promisify(execFile)('/bin/sh', ['-c', script, process.execPath, program]);
    await expect(failed).rejects.toMatchObject({
      code: exitCode,
      stderr: expect.stringMatching(new RegExp(`^tend: ${words}[^\\n]*\\n$`)),
    });
  });
});

describe('oclif’s --json', () => {
  it('leaks neither the environment nor the words of the command line on a parser error', async () => {
    const env = {
      TEND_DATABASE_URL: `postgres://u:${canary}@h/db`,
      DATABASE_URL: `postgres://u:${canary}@h/db`,
      PGPASSWORD: canary,
    };
    for (const args of [
      ['config', '--bogus', '--json'],
      ['config', 'x', '--json', '-vv'],
      ['cofnig', '--json'],
    ]) {
      const { stdout, stderr } = await runCli(args, { env });
      expect(stdout + stderr).not.toContain(canary);
      expect(stdout.length).toBeLessThan(400);
    }
  });

  it('cannot be switched on past our own contract', async () => {
    const { stdout } = await runCli(['config', '--bogus'], { env: { TEND_CONTENT_TYPE: 'json' } });
    expect(stdout).toBe('');
  });
});

describe('the configuration as shown', () => {
  const toml = `[database]\nurl = "postgres://u:${canary}@h/db"\n[mail]\nurl = "env:SMTP_URL"\n[monitor]\nping_url = "https://ping/${canary}"\n`;
  const env = { SMTP_URL: `smtp://u:${canary}@h`, TEND_MAIL_REDIRECT_ALL: 'dev@example.org' };

  it.each([[], ['--origin'], ['--json'], ['--origin', '-vv']].map((flags) => ({ flags })))(
    'holds no password with $flags',
    async ({ flags }) => {
      await using directory = await temporaryDirectory();
      await writeFile(join(directory.path, 'tend.toml'), toml);
      const { stdout, stderr, exitCode } = await runCli(['config', ...flags], { cwd: directory.path, env });
      expect(exitCode).toBe(0);
      expect(stdout + stderr).not.toContain(canary);
      expect(stdout).toContain('postgres://u:***@h/db');
      expect(stdout).toContain('env:SMTP_URL');
    },
  );

  it('names the file and line, the variable, or the default of each value', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'tend.toml'), toml);
    const { stdout } = await runCli(['config', '--json'], { cwd: directory.path, env });
    const { file, settings } = JSON.parse(stdout);
    expect(file).toBe(join(directory.path, 'tend.toml'));
    expect(settings).toContainEqual({ key: 'mail.url', value: 'env:SMTP_URL', origin: `${file}:4` });
    expect(settings).toContainEqual({
      key: 'mail.redirect_all',
      value: 'dev@example.org',
      origin: 'TEND_MAIL_REDIRECT_ALL',
    });
    expect(settings).toContainEqual({ key: 'tasks.deadline', value: '50s', origin: 'default' });
  });
});

describe('config validate', () => {
  it('is silent for cron when all is well', async () => {
    expect(await runCli(['config', 'validate'])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('warns of variables that name no setting, and not of [monitor]', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(
      join(directory.path, 'tend.toml'),
      '[monitor]\nping_url = "https://example.org"\nmetrics_file = "/x.prom"\n',
    );
    const { exitCode, stderr } = await runCli(['config', 'validate'], {
      cwd: directory.path,
      env: { TEND_BACKUP_DIRCTORY: '/b' },
    });
    expect(exitCode).toBe(0);
    const lines = stderr.replaceAll(directory.path, '').trimEnd().split('\n');
    expect(stderr).not.toContain('monitor');
    expect(lines).toContain(
      'warning: environment: TEND_BACKUP_DIRCTORY names no setting; did you mean TEND_BACKUP_DIRECTORY?',
    );
  });

  it('is exit code 78 with every problem, in words and in JSON', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'bad.toml'), '[tasks]\nconcurrency = 0\nlaese = "1m"\n');
    const args = ['config', 'validate', '--config', 'bad.toml'];
    const inWords = await runCli(args, { cwd: directory.path });
    expect(inWords).toMatchObject({ exitCode: 78, stdout: '' });
    expect(inWords.stderr).toContain(
      'bad.toml:2: tasks.concurrency: a whole number from 1 to 200 was expected',
    );
    expect(inWords.stderr).toContain('bad.toml:3: tasks.laese: this key is not known; did you mean "lease"?');
    const inJson = await runCli([...args, '--json'], { cwd: directory.path });
    expect(JSON.parse(inJson.stdout).error).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 78 });
  });
});

describe('config schema', () => {
  it('prints a JSON Schema that was made at build time, with or without --json', async () => {
    const plain = await runCli(['config', 'schema']);
    expect(JSON.parse(plain.stdout)).toMatchObject({
      title: 'tend.toml',
      additionalProperties: false,
      properties: { tasks: { properties: { concurrency: { minimum: 1, maximum: 200 } } } },
    });
    expect((await runCli(['config', 'schema', '--json'])).stdout).toBe(plain.stdout);
  });

  it('works whatever stands in tend.toml', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'tend.toml'), 'not toml at all');
    expect((await runCli(['config', 'schema'], { cwd: directory.path })).exitCode).toBe(0);
  });
});

describe('help', () => {
  it('exit-codes prints the one table', async () => {
    const { stdout } = await runCli(['help', 'exit-codes', '--json']);
    const expected = Object.entries(exitCodes).map(([name, row]) => ({
      code: row.code,
      name,
      meaning: row.meaning,
    }));
    expect(JSON.parse(stdout)).toEqual({ exitCodes: expected });
  });

  it('environment is tab-separated when piped, one variable a line', async () => {
    const { stdout } = await runCli(['help', 'environment']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe('VARIABLE\tMEANING');
    expect(lines).toContain('TEND_TASKS_CONCURRENCY\t[tasks] concurrency');
    for (const line of lines) expect(line.split('\t')).toHaveLength(2);
  });

  it.each(['--help', 'help', '-h'])('%s lists the commands on stdout, exit code 0', async (word) => {
    const { exitCode, stdout, stderr } = await runCli([word]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('config');
  });
});

describe('colours', () => {
  it.each([
    { env: {}, flags: [], isColored: false },
    { env: { FORCE_COLOR: '1' }, flags: [], isColored: true },
    { env: { FORCE_COLOR: '1' }, flags: ['--no-color'], isColored: false },
    { env: { FORCE_COLOR: '0' }, flags: [], isColored: false },
    { env: { NO_COLOR: '1' }, flags: [], isColored: false },
  ])('on stderr with $env $flags: $isColored', async ({ env, flags, isColored }) => {
    const { stderr } = await runCli(['config', '--config', 'none.toml', ...flags], { env });
    expect(stderr.includes('\u001b[')).toBe(isColored);
  });
});
