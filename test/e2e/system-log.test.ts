import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hasSyslog, startSyslogDaemon, useLogger } from '../monitoring/support/syslog-daemon.ts';
import { cronEnvironment, runCli } from '../support/run-cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { createQueueSite, scriptKind } from './queue-site.ts';

const monitor = '[monitor]\nsyslog = "local3"\n';
const unreachable = '[database]\nurl = "postgres://u:canary-4711@127.0.0.1:1/db"\n';

describe.runIf(hasSyslog)('[monitor] syslog', () => {
  it('hands what stderr is told to the daemon as well, with its level, and to nobody’s arguments', async () => {
    await using daemon = await startSyslogDaemon();
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'tend.toml'), `${unreachable}${monitor}`);
    const env = { PATH: daemon.path };
    const ended = await runCli(['run-due-tasks'], { cwd: directory.path, env });
    expect(ended.exitCode).toBe(69);
    expect(ended.stderr).toMatch(/^tend: [^\n]+\nhint: [^\n]+\n$/);
    const messages = await daemon.arrived(2);
    expect(messages.map((message) => message.replace(/^(<\d+>).* (tend)\[\d+\]/, '$1$2'))).toEqual(
      ended.stderr
        .trimEnd()
        .split('\n')
        .map((line) => `<155>tend: ${line}`),
    );
    const [start = ''] = await daemon.starts();
    expect(start).toContain('--tag tend');
    expect(messages.join() + start).not.toContain('canary-4711');
    expect(start).not.toContain('127.0.0.1');
  });

  it('has JSON where the log is JSON, and the summary with -v although that is on stdout', async () => {
    await using daemon = await startSyslogDaemon();
    await using site = await createQueueSite(monitor);
    const id = await site.enqueue('noop');
    const env = { PATH: daemon.path };
    expect((await site.tend(['run-due-tasks', '-v'], { env })).stderr).toBe('');
    expect((await daemon.arrived(2))[0]).toMatch(
      new RegExp(`^<158>.* tend\\[\\d+\\]: Task ${id} \\(noop\\) succeeded in \\d+ ms$`),
    );
    await site.tend(['tasks', 'show', '999', '--log-format', 'json'], { env });
    const last = (await daemon.arrived(3)).at(-1) ?? '';
    expect(JSON.parse(last.slice(last.indexOf('{')))).toMatchObject({ code: 'TASK_NOT_FOUND', exitCode: 66 });
  });

  it('starts nothing and loads nothing while there is nothing to say', async () => {
    await using daemon = await startSyslogDaemon();
    await using site = await createQueueSite(monitor);
    await site.tend(['run-due-tasks']);
    const tell = "process.on('exit',()=>console.error(process.moduleLoadList.join()))";
    const { exitCode, stderr } = await site.tend(['run-due-tasks'], {
      env: { PATH: daemon.path, NODE_OPTIONS: `--import=data:text/javascript,${tell}` },
    });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('NativeModule net');
    expect(stderr).not.toMatch(/NativeModule (crypto|child_process|perf_hooks|fs\/promises)\b/);
    expect(await daemon.starts()).toEqual([]);
  });

  it('is told of a chore that was stopped by a signal', async () => {
    await using daemon = await startSyslogDaemon();
    await using site = await createQueueSite(
      `${monitor}${scriptKind('long', 'echo x >> started; sleep 600 & wait')}`,
    );
    await site.enqueue('long');
    const tick = await site.start(['run-due-tasks'], { env: { PATH: daemon.path } });
    await expect.poll(() => site.lines('started')).toEqual(['x']);
    tick.child.kill('SIGTERM');
    expect(await tick.result).toMatchObject({ exitCode: 143 });
    expect((await daemon.arrived(1)).at(-1)).toMatch(/^<155>.*: tend: Stopped by SIGTERM$/);
  });
});

describe('a system log that does not work', () => {
  it.each([
    { what: 'no logger', script: undefined },
    { what: 'a socket that is not there', script: 'echo "logger: socket /dev/log: none" >&2; exit 1' },
    { what: 'a logger that hangs', script: 'exec sleep 600' },
  ])('is one warning, and the exit code stays: $what', async ({ script }) => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'tend.toml'), `${unreachable}${monitor}`);
    const path = script === undefined ? '/nonexistent' : await useLogger(directory.path, script);
    const { exitCode, stderr } = await runCli(['run-due-tasks'], {
      cwd: directory.path,
      env: { PATH: path },
    });
    expect(exitCode).toBe(69);
    expect(stderr.match(/^warning: The system log was not told: .+$/gm)).toHaveLength(1);
  });
});

describe('where stderr is the journal', () => {
  const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

  /** The stream that systemd would have made is the pipe to this process. */
  async function underSystemd(
    args: readonly string[],
    cwd: string,
    stream = '$(stat -L -c %d:%i /dev/stderr)',
  ) {
    const script = `export JOURNAL_STREAM=${stream}; exec "$0" "$@"`;
    const path = await useLogger(cwd, `echo "$*" >> ${cwd}/starts; cat > /dev/null`);
    return await new Promise<{ stdout: string; stderr: string }>((resolve) => {
      const options = { cwd, env: { ...cronEnvironment(cwd), PATH: path } };
      execFile(
        '/bin/sh',
        ['-c', script, process.execPath, program, ...args],
        options,
        (_error, stdout, stderr) => resolve({ stdout, stderr }),
      );
    });
  }

  it.each([
    { flags: [], lines: [/^<3>tend: /, /^<3>hint: /] },
    { flags: ['--log-format', 'json'], lines: [/^<3>\{"time":.*"code":"DATABASE_NOT_CONFIGURED".*\}$/] },
  ])('each line begins with its level, and no logger is started: $flags', async ({ flags, lines }) => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'tend.toml'), monitor);
    const { stderr } = await underSystemd(['tasks', ...flags], directory.path);
    const said = stderr.trimEnd().split('\n');
    expect(said).toHaveLength(lines.length);
    for (const [index, line] of lines.entries()) expect(said[index]).toMatch(line);
    await expect(readFile(join(directory.path, 'starts'))).rejects.toThrow('ENOENT');
  });

  it('it was another stream that systemd made: no level before the lines, and logger is started', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'tend.toml'), `${unreachable}${monitor}`);
    const { stderr } = await underSystemd(['tasks'], directory.path, '8:4711');
    expect(stderr).toMatch(/^tend: /);
    expect(await readFile(join(directory.path, 'starts'), 'utf8')).toContain('--prio-prefix');
  });
});
