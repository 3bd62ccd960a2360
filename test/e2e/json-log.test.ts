import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService } from '../monitoring/support/ping-service.ts';
import { runCli } from '../support/run-cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { createQueueSite, type QueueSite, scriptKind } from './queue-site.ts';

const canary = 'canary-4711';
const json = ['--log-format', 'json'];

/** Every line of stderr must be one of them. */
function messages(stderr: string): Record<string, unknown>[] {
  return stderr
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

describe('a tick with --log-format json', () => {
  let site: QueueSite;
  const kinds = [scriptKind('fails', 'printf "two\\nlines" >&2; exit 1', { max_attempts: 1 })].join('');

  beforeAll(async () => {
    site = await createQueueSite(kinds);
    await site.tend(['migrations', 'up']);
  });
  afterAll(async () => await site[Symbol.asyncDispose]());

  it('says of a task that failed which it is, of what kind, at which attempt, and how long it took', async () => {
    const id = await site.enqueue('fails');
    const { exitCode, stdout, stderr } = await site.tend(['run-due-tasks', ...json]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(messages(stderr)).toEqual([
      {
        ...{
          time: expect.any(String),
          level: 'warning',
          command: 'run-due-tasks',
          runId: expect.any(String),
        },
        message: expect.stringContaining(`Task ${id} (fails) failed: `),
        ...{ taskId: id, kind: 'fails', attempt: 1, state: 'failed', durationMs: expect.any(Number) },
      },
    ]);
  });

  it('says with -v of every task how it ended, and nothing on stdout', async () => {
    const id = await site.enqueue('noop');
    const { exitCode, stdout, stderr } = await site.tend(['run-due-tasks', '-v', ...json]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(messages(stderr)).toMatchObject([
      { level: 'info', taskId: id, kind: 'noop', attempt: 1, state: 'succeeded' },
      { level: 'info', message: 'Tick: 1 succeeded.' },
    ]);
  });

  it('says nothing when nothing is due', async () => {
    expect(await site.tend(['run-due-tasks', ...json])).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('names in its messages the run that its pings name', async () => {
    await using service = await startService(200);
    await site.configure(`${kinds}[monitor]\nping_url = "${service.url}"\nlog_format = "json"\n`);
    await site.enqueue('fails');
    const { stderr } = await site.tend(['run-due-tasks']);
    await site.configure(kinds);
    expect(messages(stderr)[0]).toHaveProperty('runId', service.pings.at(-1)?.rid);
    expect(service.pings.at(-1)?.body).toMatch(/^warning: Task \d+ \(fails\) failed/);
  });

  it('is part of a command typed by hand: what its task says names that task', async () => {
    await site.configure('[app]\ncheck = { command = ["false"], within = "1s" }\n');
    const { exitCode, stderr } = await site.tend(['app', 'check', '-vv', ...json]);
    await site.configure(kinds);
    expect(exitCode).toBe(69);
    const said = messages(stderr);
    expect(said).toContainEqual(
      expect.objectContaining({
        ...{ level: 'debug', message: expect.stringContaining('is not healthy yet'), command: 'app check' },
        ...{ taskId: expect.any(Number), kind: 'check-app', attempt: 1 },
      }),
    );
    expect(said.at(-1)).toMatchObject({
      ...{ level: 'error', code: 'APP_UNHEALTHY', exitCode: 69 },
      ...{ taskId: expect.any(Number), kind: 'check-app', attempt: 1 },
    });
  });
});

describe('the format of messages', () => {
  it('is that of the flag, else of TEND_LOG_FORMAT, else of tend.toml', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'tend.toml'), '[monitor]\nlog_format = "json"\n');
    const isJson = async (flags: string[], env: Record<string, string> = {}) => {
      const { exitCode, stderr } = await runCli(['tasks', ...flags], { cwd: directory.path, env });
      expect(exitCode).toBe(78);
      return stderr.startsWith('{');
    };
    expect(await isJson([])).toBe(true);
    expect(await isJson([], { TEND_LOG_FORMAT: 'text' })).toBe(false);
    expect(await isJson(json, { TEND_LOG_FORMAT: 'text' })).toBe(true);
    expect(await isJson(['--log-format', 'text'])).toBe(false);
    const { stdout } = await runCli(['config', '--origin', ...json], { cwd: directory.path });
    expect(stdout).toContain('monitor.log_format = "json"\t# --log-format');
  });

  it.each([
    { what: 'an unknown flag', args: ['tasks', '--bogus'] },
    { what: 'an unknown command', args: ['taks'] },
    { what: 'a bad value for the tick', args: ['run-due-tasks', '--limit', 'many'] },
  ])('holds for a mistake in the command line: $what', async ({ args }) => {
    const { exitCode, stdout, stderr } = await runCli([...args, ...json]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(messages(stderr)).toMatchObject([{ level: 'error', code: 'USAGE', exitCode: 64 }]);
  });

  it.each([['tasks'], ['run-due-tasks']])(
    'that is none is refused with those there are: %s',
    async (command) => {
      const { exitCode, stderr } = await runCli([command, '--log-format', 'xml']);
      expect(exitCode).toBe(64);
      expect(stderr).toMatch(/^tend: Expected --log-format=xml to be one of: text, json\n/);
    },
  );

  it('that is none in tend.toml is named with file and line, one in the environment with its variable', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'tend.toml');
    await writeFile(file, '[monitor]\nlog_format = "logfmt"\nsyslog = "mail"\n');
    const { exitCode, stderr } = await runCli(['tasks'], { cwd: directory.path });
    expect(exitCode).toBe(78);
    expect(stderr).toContain(`${file}:2: monitor.log_format: one of "text", "json" was expected`);
    expect(stderr).toContain(`${file}:3: monitor.syslog: one of "user", "daemon", `);
    await writeFile(file, '');
    const env = { TEND_LOG_FORMAT: 'xml', TEND_MONITOR_SYSLOG: 'nowhere' };
    const said = (await runCli(['tasks'], { cwd: directory.path, env })).stderr;
    expect(said).toContain('TEND_LOG_FORMAT: monitor.log_format: one of "text", "json" was expected');
    expect(said).toContain('TEND_MONITOR_SYSLOG: monitor.syslog: one of "user", ');
  });

  it('keeps secrets out of messages, causes and all', async () => {
    await using directory = await temporaryDirectory();
    const env = { TEND_DATABASE_URL: `postgres://u:${canary}@127.0.0.1:1/db` };
    const { exitCode, stdout, stderr } = await runCli(['run-due-tasks', '-vv', ...json], {
      ...{ cwd: directory.path, env },
    });
    expect(exitCode).toBe(69);
    expect(stdout + stderr).not.toContain(canary);
    expect(messages(stderr).at(-1)).toMatchObject({ code: 'DATABASE_UNREACHABLE', exitCode: 69 });
  });
});
