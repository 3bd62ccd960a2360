import { describe, expect, it } from 'vitest';
import { markedProcesses } from './support/marked-processes.ts';
import { failureOf, newMark, runScript } from './support/tool-call.ts';

/** Collects what a program writes to descriptor 4. */
function reports() {
  const chunks: Buffer[] = [];
  return {
    onReport: (chunk: Buffer) => void chunks.push(chunk),
    text: () => Buffer.concat(chunks).toString(),
  };
}

describe('what a program writes to descriptor 4', () => {
  it('is a report, and no part of what it prints', async () => {
    const { onReport, text } = reports();
    const result = await runScript('echo out; echo report >&4; echo err >&2', {
      onReport,
      stdout: 'capture',
    });
    expect(result.stdout).toBe('out\n');
    expect(result.outputTail).not.toContain('report');
    expect(text()).toBe('report\n');
  });

  it('has arrived when the program has ended, megabytes too, and however it ended', async () => {
    const written = reports();
    await runScript('head -c 3000000 /dev/zero | tr "\\\\0" x >&4', written);
    expect(written.text()).toBe('x'.repeat(3_000_000));
    const killed = reports();
    await failureOf(runScript('echo last >&4; kill -KILL $$', killed));
    expect(killed.text()).toBe('last\n');
  });

  it('is nothing where nobody asked: the descriptor is not there', async () => {
    const failure = await failureOf(runScript('echo report >&4'));
    expect(failure).toMatchObject({ code: 'TOOL_FAILED' });
  });

  it('and that is refused stops the program, and says why', async () => {
    const mark = newMark();
    const failure = await failureOf(
      runScript('echo nonsense >&4; sleep 600', {
        env: { MARK: mark },
        name: 'the program',
        onReport() {
          throw new Error('nonsense');
        },
      }),
    );
    expect(failure).toMatchObject({
      ...{ code: 'TOOL_FAILED', message: 'What "the program" reported could not be used: nonsense' },
    });
    expect(await markedProcesses(mark)).toEqual([]);
  });
});

it('errors name a program as the caller does', async () => {
  expect(await failureOf(runScript('exit 7', { name: 'tasks/sync.js' }))).toHaveProperty(
    'message',
    '"tasks/sync.js" failed with exit code 7.',
  );
});
