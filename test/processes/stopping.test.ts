import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { markedProcesses } from './support/marked-processes.ts';
import { failureOf, newMark, runScript } from './support/tool-call.ts';

/** Says `ready` into the file $1 once its traps are set, so that a test knows when to stop it. */
const ready = 'echo ready > "$1"';
/** A family of three that does not go on SIGTERM. */
const stubbornFamily = `
  trap '' TERM
  ( trap '' TERM; ( trap '' TERM; sleep 600; sleep 600 ) & sleep 600; sleep 600 ) &
  ${ready}
  sleep 600; sleep 600`;

async function written(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}

/** Runs a script and aborts it as soon as it says that it is ready. */
async function stopOnceReady(
  script: string,
  options: { graceMs?: number; reason?: Error; mark: string; read?: boolean },
) {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'ready');
  const controller = new AbortController();
  const running = runScript(script, {
    args: [path],
    env: { MARK: options.mark },
    signal: controller.signal,
    ...(options.graceMs !== undefined && { graceMs: options.graceMs }),
  });
  const settled = running.then(
    (result) => ({ result }),
    (failure: unknown) => ({ failure }),
  );
  await expect.poll(() => written(path)).toBe('ready\n');
  controller.abort(options.reason);
  const ended = await settled;
  return options.read === true ? { ...ended, file: await written(path) } : ended;
}

describe('a program that is told to stop', () => {
  it('gets SIGTERM and may clean up; that it was stopped is the error', async () => {
    const mark = newMark();
    const ended = await stopOnceReady(
      `trap 'echo cleaned up; exit 9' TERM; ${ready}; while :; do sleep 0.02; done`,
      { mark },
    );
    expect(ended).toMatchObject({ failure: { code: 'TOOL_STOPPED', toolExitCode: 9 } });
    expect(ended).toHaveProperty('failure.outputTail', expect.stringContaining('cleaned up'));
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });

  it('through a wrapper that goes first has the whole grace period to clean up', async () => {
    const mark = newMark();
    const ended = await stopOnceReady(
      `( trap 'sleep 1; echo cleaned up >> "$1"; exit' TERM; while :; do sleep 0.02; done ) >/dev/null 2>&1 &
       ${ready}; trap 'exit 1' TERM; wait; cat "$1"`,
      { mark, graceMs: 8000, read: true },
    );
    expect(ended).toMatchObject({ failure: { code: 'TOOL_STOPPED' }, file: 'ready\ncleaned up\n' });
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });

  it('and finishes its work all the same has succeeded', async () => {
    const mark = newMark();
    const ended = await stopOnceReady(`trap 'exit 0' TERM; ${ready}; while :; do sleep 0.02; done`, { mark });
    expect(ended).toMatchObject({ result: { exitCode: 0 } });
  });

  it('is killed after the grace period with all its descendants when none of them goes', async () => {
    const mark = newMark();
    const ended = await stopOnceReady(stubbornFamily, { graceMs: 200, mark });
    expect(ended).toMatchObject({ failure: { code: 'TOOL_STOPPED', toolSignal: 'SIGKILL' } });
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });

  it('takes a descendant with it that ignores SIGTERM and outlives it', async () => {
    const mark = newMark();
    const script = `( trap '' TERM; ${ready}; sleep 600; sleep 600 ) & trap 'exit 1' TERM; while :; do sleep 0.02; done`;
    const ended = await stopOnceReady(script, { graceMs: 300, mark });
    expect(ended).toMatchObject({ failure: { code: 'TOOL_STOPPED' } });
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });

  it('has no grace period where the reason is urgent', async () => {
    const mark = newMark();
    const reason = Object.assign(new Error('the lease is lost'), { isUrgent: true });
    const ended = await stopOnceReady(stubbornFamily, { graceMs: 600_000, reason, mark });
    expect(ended).toMatchObject({ failure: { code: 'TOOL_STOPPED', toolSignal: 'SIGKILL' } });
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });

  it('before it was started is not started', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'ready');
    const failure = await failureOf(runScript(ready, { args: [path], signal: AbortSignal.abort() }));
    expect(failure).toMatchObject({
      code: 'TOOL_STOPPED',
      message: '"/bin/sh" was not started: tend was asked to stop.',
    });
    expect(await written(path)).toBe('');
  });

  it('while it is being started leaves nothing behind', async () => {
    const mark = newMark();
    const controller = new AbortController();
    const running = runScript('sleep 600; sleep 600', { signal: controller.signal, env: { MARK: mark } });
    controller.abort();
    expect(await failureOf(running)).toHaveProperty('code', 'TOOL_STOPPED');
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });
});

describe('limits', () => {
  it('on the wall clock end the whole family', async () => {
    const mark = newMark();
    const running = runScript('sleep 600 & while :; do echo busy; sleep 0.02; done', {
      timeoutMs: 300,
      env: { MARK: mark },
    });
    const failure = await failureOf(running);
    expect(failure).toMatchObject({ code: 'TOOL_TIMED_OUT', toolSignal: 'SIGTERM' });
    expect(failure).toHaveProperty('message', '"/bin/sh" ran longer than 300 ms and was stopped.');
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });

  it('on the wall clock end a stubborn family, too, after the grace period', async () => {
    const mark = newMark();
    await using directory = await temporaryDirectory();
    const failure = await failureOf(
      runScript(stubbornFamily, {
        args: [join(directory.path, 'ready')],
        timeoutMs: 300,
        graceMs: 200,
        env: { MARK: mark },
      }),
    );
    expect(failure).toMatchObject({ code: 'TOOL_TIMED_OUT', toolSignal: 'SIGKILL' });
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });

  it('on silence let a program live that says something, streamed away, reported or neither', async () => {
    const sink = new Writable({ write: (_chunk, _encoding, callback) => callback() });
    const script = 'i=0; while [ $i -lt 24 ]; do echo $i; sleep 0.1; i=$((i+1)); done';
    const ended = await Promise.all([
      runScript(script, { silenceMs: 2000 }),
      runScript(script, { silenceMs: 2000, stdout: sink }),
      runScript(`exec >&4; ${script}`, { silenceMs: 2000, onReport() {} }),
    ]);
    expect(ended).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }, { exitCode: 0 }]);
  });

  it('on silence end a program that says nothing any more', async () => {
    const failure = await failureOf(runScript('echo once; sleep 600', { silenceMs: 300 }));
    expect(failure).toMatchObject({ code: 'TOOL_TIMED_OUT', outputTail: 'once\n' });
    expect(failure).toHaveProperty('message', '"/bin/sh" was silent for 300 ms and was stopped.');
  });
});

describe('what a program leaves behind', () => {
  it('after a normal end lives on, and is not waited for', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'pid');
    const mark = newMark();
    // The daemon keeps both outputs open, as a carelessly started one does.
    const script = '( trap "" HUP; while :; do sleep 0.05; done ) & echo $! > "$1"; echo started';
    const result = await runScript(script, { args: [path], env: { MARK: mark } });
    expect(result.outputTail).toBe('started\n');
    const pid = Number(await written(path));
    // It lives on after the watchdog of the group has gone.
    await expect.poll(() => markedProcesses(mark)).toHaveLength(2);
    expect(process.kill(pid, 0)).toBe(true);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });

  it('with a hold on the stream its output goes to is ended by the time limit', async () => {
    const mark = newMark();
    const sink = new Writable({ write: (_chunk, _encoding, callback) => callback() });
    const running = runScript('sleep 600 & echo started', {
      stdout: sink,
      timeoutMs: 500,
      env: { MARK: mark },
    });
    expect(await failureOf(running)).toHaveProperty('code', 'TOOL_TIMED_OUT');
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });

  it('is all there: what it said just before its end is not lost', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'big'), 'x'.repeat(60_000));
    const { outputTail } = await runScript('cat "$1"; echo end', { args: [join(directory.path, 'big')] });
    expect(outputTail).toHaveLength(60_004);
  });
});
