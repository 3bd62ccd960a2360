import { describe, expect, it } from 'vitest';
import { DirectPipe } from '../../src/processes/direct-pipe.ts';
import type { RunToolOptions } from '../../src/processes/run-tool.ts';
import { markedProcesses } from './support/marked-processes.ts';
import { failureOf, newMark, runScript } from './support/tool-call.ts';

type Side = Partial<RunToolOptions> & { script: string };

/** Runs two scripts, the output of the first being the input of the second; `heard` has who failed, in order. */
async function runJoined({ writer, reader }: { writer: Side; reader: Side }) {
  const pipe = new DirectPipe();
  const heard: string[] = [];
  const run = async (name: string, { script, ...options }: Side, joined: Partial<RunToolOptions>) =>
    await runScript(script, { name, ...options, ...joined }).catch((error: Error) => {
      heard.push(error.message);
      return undefined;
    });
  const [, read] = await Promise.all([
    run('writer', writer, { stdout: pipe }),
    run('reader', reader, { input: pipe, stdout: 'capture' }),
  ]);
  return { heard, stdout: read?.stdout };
}

const slowly = 'sleep 0.3; exec wc -c';

describe('two programs that are joined', () => {
  it.each([0, 1, 3_000_000])('pass on %i bytes, however slowly they are read', async (bytes) => {
    const joined = await runJoined({
      writer: { script: `head -c ${bytes} /dev/zero` },
      reader: { script: slowly },
    });
    expect(joined).toEqual({ heard: [], stdout: `${bytes}\n` });
  });

  it('are told apart when the writer fails: the reader took the end for the end', async () => {
    const { heard, stdout } = await runJoined({
      writer: { script: 'echo half; echo "out of luck" >&2; exit 3' },
      reader: { script: 'cat' },
    });
    expect({ heard, stdout }).toEqual({
      heard: ['"writer" failed with exit code 3: out of luck'],
      stdout: 'half\n',
    });
  });

  it('are told apart when the reader fails: it is heard before the writer that dies of it', async () => {
    const { heard } = await runJoined({
      writer: { script: 'exec yes' },
      reader: { script: 'head -c 100000 >/dev/null; exec <&-; sleep 0.2; echo "no luck" >&2; exit 3' },
    });
    expect(heard).toEqual([
      '"reader" failed with exit code 3: no luck',
      expect.stringMatching(/^"writer" (was killed by SIGPIPE|failed with exit code 1: yes: )/),
    ]);
  });

  it('do not wait for each other when the writer dies and the reader hangs', async () => {
    const mark = newMark();
    const stop = new AbortController();
    const pipe = new DirectPipe();
    const reader = failureOf(
      runScript('exec sleep 600', { input: pipe, env: { MARK: mark }, signal: stop.signal }),
    );
    expect(await failureOf(runScript('exit 3', { stdout: pipe }))).toMatchObject({ toolExitCode: 3 });
    stop.abort();
    expect(await reader).toMatchObject({ code: 'TOOL_STOPPED' });
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });
});

describe('a limit on the silence of a program whose output goes to another', () => {
  it('counts what that one puts out', async () => {
    const joined = await runJoined({
      writer: { script: 'for _ in 1 2 3 4 5 6 7 8; do echo; sleep 0.3; done', silenceMs: 1900 },
      reader: { script: 'cat' },
    });
    expect(joined).toEqual({ heard: [], stdout: '\n'.repeat(8) });
  });

  it('ends it when nothing comes out any more', async () => {
    const { heard } = await runJoined({
      writer: { script: 'echo; exec sleep 600', silenceMs: 200 },
      reader: { script: 'cat' },
    });
    expect(heard).toEqual(['"writer" was silent for 200 ms and was stopped.']);
  });
});

it('a writer whose reader never comes ends when the pipe is closed', async () => {
  const pipe = new DirectPipe();
  const writing = failureOf(runScript('echo', { stdout: pipe }));
  pipe.destroy();
  expect(await writing).toHaveProperty('message', 'The other program was not started.');
});

it('a reader that comes after the pipe was closed reads nothing', async () => {
  const pipe = new DirectPipe();
  pipe.destroy();
  expect(await runScript('wc -c', { input: pipe, stdout: 'capture' })).toMatchObject({ stdout: '0\n' });
});
