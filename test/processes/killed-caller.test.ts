import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { findMarkedProcesses, markedProcesses } from './support/marked-processes.ts';
import { baseEnv, newMark } from './support/tool-call.ts';

const caller = fileURLToPath(new URL('./support/call-run-tool.ts', import.meta.url));

async function startCaller(options: { script: string; path: string; mark: string }): Promise<ChildProcess> {
  const child = spawn(process.execPath, [caller, options.script, options.path], {
    env: { ...baseEnv, MARK: options.mark },
    stdio: 'ignore',
  });
  await expect.poll(() => readFile(options.path, 'utf8').catch(() => '')).toBe('ready\n');
  return child;
}

const families = [
  ['a program', 'echo ready > "$1"; sleep 600; sleep 600'],
  ['a program whose child works', '( sleep 600; sleep 600 ) & echo ready > "$1"; wait'],
  [
    'a family that ignores every signal it can',
    `trap '' TERM INT HUP QUIT PIPE
     ( ( sleep 600; sleep 600 ) & sleep 600; sleep 600 ) & echo ready > "$1"; sleep 600; sleep 600`,
  ],
  ['a program that writes without end', 'echo ready > "$1"; yes'],
] as const;

describe('kill -9 of tend', () => {
  it.each(families)('takes %s with it, grandchildren included', async (_name, script) => {
    await using directory = await temporaryDirectory();
    const mark = newMark();
    const child = await startCaller({ script, path: join(directory.path, 'ready'), mark });
    const gone = once(child, 'exit');
    expect((await markedProcesses(mark)).length).toBeGreaterThan(1);
    child.kill('SIGKILL');
    await gone;
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });

  it('during the grace period of a family that was told to stop ends it at once', async () => {
    await using directory = await temporaryDirectory();
    const mark = newMark();
    const script = `trap 'echo stopping > "$1"' TERM; echo ready > "$1"; while :; do sleep 0.02; done`;
    const path = join(directory.path, 'ready');
    const child = await startCaller({ script, path, mark });
    const gone = once(child, 'exit');
    for (const pid of await groupsOf(mark)) process.kill(-pid, 'SIGTERM');
    await expect.poll(() => readFile(path, 'utf8')).toBe('stopping\n');
    child.kill('SIGKILL');
    await gone;
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });
});

/** Process groups of the marked processes other than the caller itself. */
async function groupsOf(mark: string): Promise<Set<number>> {
  const marked = await findMarkedProcesses(mark);
  return new Set(
    marked.filter(({ command }) => !command.includes('call-run-tool')).map(({ group }) => group),
  );
}
