import { execFile } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { CommandBody } from '../../src/cli/command-context.ts';
import { defaultGlobalFlags, type GlobalFlags } from '../../src/cli/global-flags.ts';
import type { OutputStream, ProcessHost } from '../../src/cli/process-host.ts';
import { runBody } from '../../src/cli/run-body.ts';
import { systemClock } from '../../src/clock.ts';
import { TendError } from '../../src/errors.ts';
import { fixture, runFixture } from '../support/run-fixture.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('a command that succeeds', () => {
  it('prints only its result on stdout, and no summary for cron', async () => {
    expect(await runFixture(['done'])).toMatchObject({
      exitCode: 0,
      stdout: 'one task\n',
      stderr: 'warning: look here\n',
    });
  });

  it.each([
    { flags: ['-v'], env: {} },
    { flags: [], env: { CI: 'true' } },
  ])('prints its summary with $flags $env', async ({ flags, env }) => {
    expect((await runFixture(['done', ...flags], env)).stdout).toBe('one task\nDone\n');
  });

  it('prints one JSON object and nothing else under --json', async () => {
    expect(JSON.parse((await runFixture(['done', '--json'])).stdout)).toEqual({ taskCount: 1 });
  });

  it('is silent about its steps, so that cron has nothing to mail', async () => {
    expect(await runFixture(['steps'])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  it.each([
    { flags: ['-v'], stderr: 'First step\nSecond step\n' },
    { flags: ['-vv'], stderr: 'debug: deep inside\nFirst step\nSecond step\n' },
    { flags: ['-v', '-v'], stderr: 'debug: deep inside\nFirst step\nSecond step\n' },
  ])('tells its steps on stderr with $flags', async ({ flags, stderr }) => {
    expect(await runFixture(['steps', ...flags])).toMatchObject({ stdout: '', stderr });
  });

  it('draws its steps on stderr where that is a terminal, and stdout stays empty', async () => {
    const { stdout, stderr } = await runFixture(['steps', '--terminal']);
    expect(stdout).toBe('');
    expect(stderr).toContain('First step');
    expect(stderr).toContain('Second step');
  });

  it('says only errors with --quiet', async () => {
    expect(await runFixture(['done', '-q'])).toMatchObject({ stdout: 'one task\n', stderr: '' });
  });

  it('is no failure when the reader of its output has gone', async () => {
    const script = '{ "$0" "$1" much-output; echo "exit code $?" >&2; } | head -n 1';
    const { stdout, stderr } = await promisify(execFile)('/bin/sh', [
      '-c',
      script,
      process.execPath,
      fixture,
    ]);
    expect(stdout).toBe('line 0\n');
    expect(stderr).toBe('exit code 0\n');
  });
});

describe('an output that cannot be written', () => {
  it.each(['', '--json'])('is one line and exit code 73 (flags: %j)', async (flag) => {
    const script = `"$0" "$1" done ${flag} > /dev/full`;
    const failed = promisify(execFile)('/bin/sh', ['-c', script, process.execPath, fixture]);
    await expect(failed).rejects.toMatchObject({
      code: 73,
      stderr: expect.stringMatching(
        /^(warning: look here\n)?tend: The output cannot be written: ENOSPC[^\n]*\n$/,
      ),
    });
  });

  it('is nothing to tell about where that is stderr', async () => {
    const script = '"$0" "$1" done 2> /dev/full';
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', script, process.execPath, fixture], {
      env: { PATH: '/usr/bin:/bin', NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
    });
    expect(stdout).toBe('one task\n');
  });
});

describe('a command that fails', () => {
  it('shows the step log that was held back, then one line and the tool’s last words', async () => {
    const { stderr, exitCode } = await runFixture(['failing-steps']);
    expect(stderr.replace(/\d+ ms/, 'N ms')).toBe(
      [
        'First step',
        'Second step',
        'Second step: failed after N ms',
        'tend: pg_dump failed with exit code 1',
        '    pg_dump: error: no',
        '',
      ].join('\n'),
    );
    expect(exitCode).toBe(1);
  });

  it('shows one line and the hint', async () => {
    const { stderr, exitCode } = await runFixture(['throws-known']);
    expect(stderr).toBe('tend: Task 42 does not exist\n    last lines of a tool\nhint: tend tasks\n');
    expect(exitCode).toBe(66);
  });

  it('shows the chain of causes with -v only', async () => {
    expect((await runFixture(['throws-known'])).stderr).not.toContain('the deeper reason');
    expect((await runFixture(['throws-known', '-v'])).stderr).toContain(
      'caused by: Error: the deeper reason',
    );
  });

  it('gives the four allow-listed fields and one line on stderr under --json', async () => {
    const { stdout, stderr } = await runFixture(['throws-known', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      error: { code: 'TASK_NOT_FOUND', message: 'Task 42 does not exist', hint: 'tend tasks', exitCode: 66 },
    });
    expect(stderr).toBe('tend: Task 42 does not exist\n');
  });

  it.each(['throws-string', 'throws-null', 'throws-foreign', 'floats'])(
    'is a bug, exit code 70, when the body %s',
    async (name) => {
      const { exitCode, stderr } = await runFixture([name]);
      expect(exitCode).toBe(70);
      expect(stderr).toMatch(/^tend: Unexpected error: .+\nhint: this is a bug in tend/);
    },
  );

  it.each(['throws-foreign', 'floats'])(
    'keeps secrets and rows out of every stream when the body %s',
    async (name) => {
      for (const flags of [[], ['--json'], ['-vv']]) {
        const { stdout, stderr } = await runFixture([name, ...flags]);
        expect(stdout + stderr).not.toMatch(/canary|bob@example\.org/);
      }
    },
  );

  it('is ended with 70 and a message when something it left open keeps the process alive', async () => {
    const { exitCode, stderr } = await runFixture(['leaves-timer']);
    expect(exitCode).toBe(70);
    expect(stderr).toContain('did not end within 0.3 s (open: Timeout)');
  });
});

describe('warnings of packages', () => {
  it('are not shown', async () => {
    expect((await runFixture(['warns'])).stderr).toBe('');
  });

  it.each([
    { flags: ['-vv'], env: {} },
    { flags: [], env: { TEND_LOG: 'debug' } },
  ])('are debug lines with $flags $env', async ({ flags, env }) => {
    expect((await runFixture(['warns', ...flags], env)).stderr).toBe(
      'debug: DeprecationWarning: a package complains\n',
    );
  });
});

describe('in the process of a caller', () => {
  it('takes streams, environment and signals from the host alone', async () => {
    await using directory = await temporaryDirectory();
    const { host, written } = fakeHost(directory.path);
    const code = await runIn(host, {}, async ({ signal, config }) => {
      host.events.emit('SIGTERM');
      expect(signal.aborted).toBe(true);
      return { result: { concurrency: config.tasks.concurrency } };
    });
    expect(code).toBe(143);
    expect(written.err).toBe('tend: Stopped by SIGTERM\n');
    expect(host.events.listenerCount('SIGTERM')).toBe(0);
  });

  it('gives the exit code that the body names', async () => {
    await using directory = await temporaryDirectory();
    const { host } = fakeHost(directory.path);
    expect(await runIn(host, {}, async () => ({ result: {}, exitCode: 4 }))).toBe(4);
  });

  it('stops at a mistake in tend.toml, or gives a body that reads it if valid the mistake and the defaults', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'tend.toml'), '[tasks]\nconcurrency = "many"\n');
    const { host, written } = fakeHost(directory.path);
    const flags = { ...defaultGlobalFlags, json: true };
    const body: CommandBody = async ({ config, configError }) => ({
      result: { concurrency: config.tasks.concurrency, code: configError?.code ?? null },
    });
    expect(await runBody({ commandId: 'test', flags, host }, body)).toBe(78);
    written.out = '';
    expect(await runBody({ commandId: 'test', flags, host, readsConfig: 'if-valid' }, body)).toBe(0);
    expect(JSON.parse(written.out)).toEqual({ concurrency: 4, code: 'CONFIG_INVALID' });
    await writeFile(join(directory.path, 'tend.toml'), '[tasks]\nconcurrency = 9\n');
    written.out = '';
    await runBody({ commandId: 'test', flags, host, readsConfig: 'if-valid' }, body);
    expect(JSON.parse(written.out)).toEqual({ concurrency: 9, code: null });
  });

  it('redacts the result too, and writes numbers that JSON cannot hold as text', async () => {
    await using directory = await temporaryDirectory();
    const { host, written } = fakeHost(directory.path);
    await runIn(host, { json: true }, async ({ secrets }) => {
      secrets.add('canary-4711');
      return {
        result: { url: 'postgres://u:canary-4711@h/db', small: 7n, large: 2n ** 70n, at: new Date(0) },
      };
    });
    expect(JSON.parse(written.out)).toEqual({
      url: 'postgres://u:***@h/db',
      small: 7,
      large: '1180591620717411303424',
      at: '1970-01-01T00:00:00.000Z',
    });
  });

  it('opens no database for a body that asks for none, and says plainly when none is configured', async () => {
    await using directory = await temporaryDirectory();
    const { host, written } = fakeHost(directory.path);
    const code = await runIn(host, { json: true }, async ({ openDatabase }) => {
      await openDatabase();
      return { result: {} };
    });
    expect(code).toBe(78);
    expect(JSON.parse(written.out)).toMatchObject({ error: { code: 'DATABASE_NOT_CONFIGURED' } });
  });

  it.each([0, undefined])('takes a terminal that reports %s columns for one of 80', async (columns) => {
    await using directory = await temporaryDirectory();
    const { host, written } = fakeHost(directory.path);
    host.stdout = { ...host.stdout, isTTY: true, ...(columns === undefined ? {} : { columns }) };
    await runIn(host, { noColor: true }, async () => ({
      result: {},
      render: (output) => output.table(['name', 'text'], [['one', 'x'.repeat(100)]]),
    }));
    expect(written.out).toContain(`one   ${'x'.repeat(73)}…\n`);
  });

  it('aborts with the error that names the signal', async () => {
    await using directory = await temporaryDirectory();
    const { host } = fakeHost(directory.path);
    await runIn(host, {}, async ({ signal }) => {
      host.events.emit('SIGINT');
      expect(signal.reason).toBeInstanceOf(TendError);
      expect(signal.reason).toMatchObject({ code: 'INTERRUPTED' });
      return { result: {} };
    });
  });
});

type FakeHost = ProcessHost & { events: EventEmitter };

function fakeHost(cwd: string): { host: FakeHost; written: { out: string; err: string } } {
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err'): OutputStream => ({
    write(text) {
      written[name] += text;
      return true;
    },
    on() {},
  });
  const host = {
    stdout: stream('out'),
    stderr: stream('err'),
    env: { HOME: cwd },
    cwd,
    pid: 1,
    stderrIdentity: () => undefined,
    hostname: 'web1',
    osUser: 'nobody',
    home: cwd,
    clock: systemClock,
    events: new EventEmitter(),
    exit() {},
  };
  return { host, written };
}

async function runIn(host: ProcessHost, flags: Partial<GlobalFlags>, body: CommandBody): Promise<number> {
  return await runBody({ commandId: 'test', flags: { ...defaultGlobalFlags, ...flags }, host }, body);
}
