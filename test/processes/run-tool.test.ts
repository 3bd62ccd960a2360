import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runTool } from '../../src/processes/run-tool.ts';
import { SecretRegistry } from '../../src/redact.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { markedProcesses } from './support/marked-processes.ts';
import { baseEnv, failureOf, newMark, runScript } from './support/tool-call.ts';

const signal = new AbortController().signal;

describe('the end of a program', () => {
  it('is its exit code, its duration and what it said, stderr included', async () => {
    const result = await runScript('echo out; echo err >&2');
    expect(result).toMatchObject({ exitCode: 0, stdout: '' });
    expect(new Set(result.outputTail.split('\n'))).toEqual(new Set(['', 'err', 'out']));
    expect(result.durationMs).toBeGreaterThanOrEqual(0);
  });

  it.each([1, 2, 64, 127, 255])('is an error that keeps exit code %i and the last line', async (exitCode) => {
    const failure = await failureOf(runScript(`echo first; echo 'no space left' >&2; exit ${exitCode}`));
    expect(failure).toMatchObject({ code: 'TOOL_FAILED', toolExitCode: exitCode, isPermanent: false });
    expect(failure).toHaveProperty('message', `"/bin/sh" failed with exit code ${exitCode}: no space left`);
    expect(failure).toHaveProperty('outputTail', expect.stringContaining('no space left'));
  });

  it('is no error for an exit code the caller takes for good', async () => {
    const result = await runScript('exit 3', { okExitCodes: [0, 3] });
    expect(result.exitCode).toBe(3);
    expect(await failureOf(runScript('exit 0', { okExitCodes: [3] }))).toHaveProperty('code', 'TOOL_FAILED');
  });

  it('by a signal names the signal', async () => {
    const failure = await failureOf(runScript('kill -SEGV $$'));
    expect(failure).toMatchObject({ code: 'TOOL_FAILED', toolExitCode: undefined, toolSignal: 'SIGSEGV' });
    expect(failure).toHaveProperty('message', '"/bin/sh" was killed by SIGSEGV.');
  });
});

describe('a program that cannot be started', () => {
  it('is named, with the PATH it was looked for on', async () => {
    const failure = await failureOf(runTool({ file: 'no-such-tool', args: [], baseEnv, signal }));
    expect(failure).toMatchObject({ code: 'TOOL_NOT_FOUND', exitCode: 78, isPermanent: true });
    expect(failure).toHaveProperty(
      'message',
      `Program "no-such-tool" was not found on PATH (${baseEnv.PATH}).`,
    );
  });

  it('is a path that does not exist, is a directory, or is not executable', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'text'), '#!/bin/sh\n', { mode: 0o644 });
    for (const file of ['./missing', './text', directory.path]) {
      const failure = await failureOf(runTool({ file, args: [], baseEnv, signal, cwd: directory.path }));
      expect(failure).toHaveProperty('code', 'TOOL_NOT_FOUND');
    }
  });

  it('is a script whose interpreter is missing: the exit code of execvp’s caller', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'script');
    await writeFile(file, '#!/no/such/interpreter\n');
    await chmod(file, 0o755);
    const failure = await failureOf(runTool({ file, args: [], baseEnv, signal }));
    expect(failure).toMatchObject({ code: 'TOOL_FAILED', toolExitCode: 127 });
  });

  it('may be a relative path: it starts in the working directory that was given', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'here'), '#!/bin/sh\npwd\n', { mode: 0o755 });
    const result = await runTool({ file: './here', args: [], baseEnv, signal, cwd: directory.path });
    expect(result.outputTail).toBe(`${directory.path}\n`);
  });
});

describe('the environment of a program', () => {
  it('holds what is on the allow-list and what was added by name, and nothing else', async () => {
    const ours = {
      ...baseEnv,
      HOME: '/home/cms',
      LANG: 'C',
      DATABASE_URL: 'postgres://u:secret@h/d',
      LD_PRELOAD: 'x',
    };
    const { stdout } = await runScript('env', {
      baseEnv: ours,
      env: { PGPASSWORD: 'pw' },
      stdout: 'capture',
    });
    const names = stdout.split('\n').map((line) => line.split('=', 1)[0] ?? '');
    const ofTheShell = new Set(['', 'PWD', 'OLDPWD', 'SHLVL', '_']);
    expect(new Set(names.filter((name) => !ofTheShell.has(name)))).toEqual(
      new Set(['HOME', 'LANG', 'PATH', 'PGPASSWORD', 'TMPDIR']),
    );
  });

  it('keeps a secret out of every command line', async () => {
    const mark = newMark();
    const script = `tr '\\0' ' ' < /proc/$$/cmdline; tr '\\0' ' ' < /proc/$PPID/cmdline; cat`;
    const stop = Promise.withResolvers<void>();
    const input = Readable.from(
      (async function* () {
        await stop.promise;
        yield 'end';
      })(),
    );
    const running = runScript(script, {
      env: { PGPASSWORD: 'canary-secret', MARK: mark },
      input,
      stdout: 'capture',
    });
    await expect.poll(() => markedProcesses(mark)).not.toHaveLength(0);
    const commandLines = await markedProcesses(mark);
    stop.resolve();
    const { stdout } = await running;
    expect(stdout).toContain('end');
    expect([...commandLines, stdout].join('\n')).not.toContain('canary-secret');
  });

  it('gives the program the arguments as they are: no shell reads them', async () => {
    const args = ['$(id)', '; exit 1', '', 'a b', '*', '-e', '\n'];
    const result = await runTool({
      file: 'printf',
      args: ['[%s]', ...args],
      baseEnv,
      signal,
      stdout: 'capture',
    });
    expect(result.stdout).toBe(args.map((arg) => `[${arg}]`).join(''));
  });
});

describe('what a program says', () => {
  it('is kept up to its newest 64 KiB, in whole characters', async () => {
    const { outputTail } = await runScript(`yes 'żółw' | head -n 20000; printf 'the end'`);
    const bytes = Buffer.from(outputTail);
    expect(bytes.length).toBeLessThanOrEqual(64 * 1024 + 3);
    expect(bytes.length).toBeGreaterThan(64 * 1024 - 16);
    expect(outputTail.startsWith('…')).toBe(true);
    expect(outputTail).not.toContain('\uFFFD');
    expect(outputTail.endsWith('żółw\nthe end')).toBe(true);
  });

  it('is redacted: in the tail, in the message and in the details', async () => {
    const secrets = new SecretRegistry();
    secrets.add('canary-secret');
    const script = 'echo "login with canary-secret"; echo "postgres://u:hunter2@h/d says canary-secret" >&2';
    const fine = await runScript(script, { secrets });
    const failure = await failureOf(runScript(`${script}; exit 1`, { secrets }));
    expect(fine.outputTail).toContain('login with ***');
    expect(JSON.stringify([fine, failure, String(failure)])).not.toMatch(/canary|hunter2/);
  });

  it('on stderr goes to the log line by line', async () => {
    const lines: string[] = [];
    const log = { debug: (line: string) => lines.push(line), info() {}, warn() {} };
    await runScript(`printf 'one\\ntwo' >&2; sleep 0.05; printf ' and\\nżółw\\nlast' >&2; echo out`, { log });
    expect(lines).toEqual(['one', 'two and', 'żółw', 'last']);
  });

  it('can be captured whole, beyond the tail', async () => {
    const { stdout } = await runScript('head -c 3000000 /dev/zero | tr "\\0" x', { stdout: 'capture' });
    expect(stdout).toBe('x'.repeat(3_000_000));
  });
});

describe('standard output sent to a stream', () => {
  it('arrives whole, and waits for a slow reader instead of filling memory', async () => {
    let bytes = 0;
    let mostWaiting = 0;
    const slow = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        bytes += chunk.length;
        mostWaiting = Math.max(mostWaiting, slow.writableLength);
        setImmediate(callback);
      },
    });
    const { outputTail } = await runScript('head -c 30000000 /dev/zero; echo done >&2', { stdout: slow });
    expect(bytes).toBe(30_000_000);
    expect(mostWaiting).toBeLessThan(1_000_000);
    expect(outputTail).toBe('done\n');
    expect(slow.writableFinished).toBe(true);
  });

  it('whose reader fails is the error, not the broken pipe that follows from it', async () => {
    const full = new Writable({
      write(_chunk, _encoding, callback) {
        callback(new Error('no space left on device'));
      },
    });
    const failure = await failureOf(runScript('yes', { stdout: full }));
    expect(failure).toHaveProperty('code', 'TOOL_FAILED');
    expect(failure).toHaveProperty(
      'message',
      'The output of "/bin/sh" could not be written: no space left on device',
    );
  });

  it('whose reader fails ends a program that would say nothing more, too', async () => {
    const mark = newMark();
    const full = new Writable({
      write(_chunk, _encoding, callback) {
        callback(new Error('no space left on device'));
      },
    });
    const failure = await failureOf(
      runScript('echo x; exec sleep 600', { stdout: full, env: { MARK: mark } }),
    );
    expect(failure).toHaveProperty('message', expect.stringContaining('no space left on device'));
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });
});

describe('standard input', () => {
  it('is empty unless given', async () => {
    expect((await runScript('cat; echo end', { stdout: 'capture' })).stdout).toBe('end\n');
  });

  it.each([
    ['text', 'żółw'],
    ['bytes', Buffer.from([0, 255, 10])],
  ])('takes %s', async (_name, input) => {
    const { stdout } = await runScript('od -An -tx1', { input, stdout: 'capture' });
    expect(stdout.replaceAll(/\s/g, '')).toBe(Buffer.from(input).toString('hex'));
  });

  it('takes a stream', async () => {
    const input = Readable.from([Buffer.alloc(200_000, 'a'), Buffer.alloc(200_000, 'b')]);
    expect((await runScript('wc -c', { input, stdout: 'capture' })).stdout.trim()).toBe('400000');
  });

  it('that the program does not read is no error, however much it is', async () => {
    const result = await runScript('exec 0<&-; exit 0', { input: 'x'.repeat(5_000_000) });
    expect(result.exitCode).toBe(0);
  });

  it('that fails half-way is an error, whatever the program made of the half', async () => {
    const input = Readable.from(
      (async function* () {
        yield 'half';
        throw new Error('the file could not be read');
      })(),
    );
    const failure = await failureOf(runScript('cat', { input }));
    expect(failure).toHaveProperty('code', 'TOOL_FAILED');
    expect(failure).toHaveProperty('message', expect.stringContaining('the file could not be read'));
  });
});

describe('a directory that is missing', () => {
  it('is named as the reason why the program was not started', async () => {
    const failure = await failureOf(runScript('exit 0', { cwd: '/no/such/directory' }));
    expect(failure).toMatchObject({ code: 'TOOL_NOT_FOUND' });
    expect(failure).toHaveProperty(
      'message',
      'Directory "/no/such/directory", where "/bin/sh" is to run, does not exist.',
    );
  });

  it('is not confused with arguments that are too long', async () => {
    const failure = await failureOf(runScript('exit 0', { args: ['x'.repeat(3_000_000)] }));
    expect(failure).toMatchObject({ code: 'TOOL_FAILED' });
    expect(failure).toHaveProperty('message', expect.stringContaining('"/bin/sh" could not be started: '));
    expect(failure).toHaveProperty('message', expect.stringContaining('E2BIG'));
  });
});
