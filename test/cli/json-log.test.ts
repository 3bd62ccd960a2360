import { describe, expect, it } from 'vitest';
import { runFixture, startFixture } from '../support/run-fixture.ts';

const json = ['--log-format', 'json'];

/** Every line of stderr must be one of them. */
function messages(stderr: string): Record<string, unknown>[] {
  return stderr
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

describe('with --log-format json', () => {
  it('the result stays as it is on stdout, and a warning is one object on stderr', async () => {
    const { exitCode, stdout, stderr } = await runFixture(['done', ...json]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'one task\n' });
    expect(messages(stderr)).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        ...{ level: 'warning', message: 'look here', command: 'fixture done' },
        runId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/),
      },
    ]);
  });

  it('the summary of -v is a message as well, so that stdout is the result alone', async () => {
    const { stdout, stderr } = await runFixture(['done', '-v', ...json]);
    expect(stdout).toBe('one task\n');
    expect(messages(stderr).map(({ level, message }) => [level, message])).toEqual([
      ['warning', 'look here'],
      ['info', 'Done'],
    ]);
  });

  it('a success is silent, and --quiet leaves errors only', async () => {
    expect(await runFixture(['steps', ...json])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(await runFixture(['done', '-q', ...json])).toMatchObject({ stderr: '' });
  });

  it('-vv tells debug lines and steps, each with its level', async () => {
    const { stderr } = await runFixture(['steps', '-vv', ...json]);
    expect(messages(stderr).map(({ level, message }) => `${String(level)} ${String(message)}`)).toEqual([
      ...['debug deep inside', 'info First step', 'info Second step'],
    ]);
  });

  it('a failure tells the steps that were held back with the time they began, then the error, all of one run', async () => {
    const { exitCode, stderr } = await runFixture(['failing-steps', ...json]);
    const said = messages(stderr);
    expect(exitCode).toBe(1);
    expect(said.map(({ level }) => level)).toEqual(['info', 'info', 'info', 'error']);
    expect(said.at(2)).toMatchObject({ durationMs: expect.any(Number) });
    expect(said.at(-1)).toMatchObject({
      ...{ message: 'pg_dump failed with exit code 1', code: 'TOOL_FAILED', exitCode: 1 },
      details: 'pg_dump: error: no',
    });
    const times = said.map(({ time }) => String(time));
    expect(times).toEqual([...times].sort());
    expect(new Set(said.map(({ runId }) => runId)).size).toBe(1);
  });

  it('an error has code, exit code and hint; its causes with -v only', async () => {
    const plain = messages((await runFixture(['throws-known', ...json])).stderr);
    expect(plain).toHaveLength(1);
    expect(plain[0]).toMatchObject({
      ...{ level: 'error', message: 'Task 42 does not exist', code: 'TASK_NOT_FOUND', exitCode: 66 },
      ...{ hint: 'tend tasks', details: 'last lines of a tool' },
    });
    expect(plain[0]).not.toHaveProperty('causes');
    const verbose = messages((await runFixture(['throws-known', '-v', ...json])).stderr);
    expect(verbose[0]).toHaveProperty('causes');
    expect(JSON.stringify(verbose[0])).toContain('the deeper reason');
  });

  it('the result of --json is the same object as with text', async () => {
    const { stdout } = await runFixture(['throws-known', '--json', ...json]);
    expect(stdout).toBe((await runFixture(['throws-known', '--json'])).stdout);
  });

  it('nothing is drawn on a terminal', async () => {
    const { stderr } = await runFixture(['failing-steps', '--terminal', ...json]);
    expect(messages(stderr)).toHaveLength(4);
  });

  it('no colour is in it, whatever is forced', async () => {
    const { stderr } = await runFixture(['throws-known', ...json], { FORCE_COLOR: '1' });
    expect(stderr).not.toMatch(/\u001b|\\u001b/);
  });

  it.each(['throws-foreign', 'floats'])('no secret and no row is in it when the body %s', async (name) => {
    for (const flags of [[], ['--json'], ['-vv']]) {
      const { exitCode, stdout, stderr } = await runFixture([name, ...flags, ...json]);
      expect(exitCode).toBe(70);
      expect(stdout + stderr).not.toMatch(/canary|bob@example\.org/);
      expect(messages(stderr).at(-1)).toMatchObject({ level: 'error', code: 'BUG', exitCode: 70 });
    }
  });

  it('a process that is ended since it does not end by itself says so in the same form', async () => {
    const { exitCode, stderr } = await runFixture(['leaves-timer', ...json]);
    expect(exitCode).toBe(70);
    expect(messages(stderr)).toMatchObject([{ level: 'error', code: 'BUG', exitCode: 70 }]);
  });

  it('a signal is an error with its exit code, in a command that wound up in good order too', async () => {
    const { child, said, result } = startFixture(['winds-up', ...json]);
    await said('ready');
    child.kill('SIGTERM');
    const { exitCode, stderr } = await result;
    expect(exitCode).toBe(143);
    expect(messages(stderr.replace('ready\n', ''))).toMatchObject([
      { level: 'error', message: 'Stopped by SIGTERM', code: 'TERMINATED', exitCode: 143 },
    ]);
  });
});

it('TEND_LOG_FORMAT=json is the same, and the flag wins over it', async () => {
  const env = { TEND_LOG_FORMAT: 'json' };
  expect(messages((await runFixture(['done'], env)).stderr)).toHaveLength(1);
  expect((await runFixture(['done', '--log-format=text'], env)).stderr).toBe('warning: look here\n');
});
