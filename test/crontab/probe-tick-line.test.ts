import { describe, expect, it } from 'vitest';
import { findAccount } from '../../src/crontab/find-account.ts';
import { probeTickLine } from '../../src/crontab/probe-tick-line.ts';
import { SecretRegistry } from '../../src/redact.ts';
import { markedProcesses } from '../processes/support/marked-processes.ts';
import { newMark } from '../processes/support/tool-call.ts';

const env = { HOME: '/', LOGNAME: 'cms', PATH: '/usr/bin:/bin', SHELL: '/bin/sh' };
const probe = async (command: string, given: Partial<Parameters<typeof probeTickLine>[0]> = {}) =>
  await probeTickLine({
    ...{ command, env, account: undefined, secrets: new SecretRegistry(), timeoutMs: 60_000 },
    signal: new AbortController().signal,
    ...given,
  });

describe('a line of a crontab', () => {
  it('gets what cron gives and nothing else, in the home of its user', async () => {
    const { state, ...answer } = await probe(
      `printf '{"env": "%s"}' "$(pwd) $(env | cut -d= -f1 | sort | xargs)"`,
    );
    expect(state).toBe('answered');
    expect(answer).toEqual({ answer: { env: '/ HOME LOGNAME NODE_DISABLE_COMPILE_CACHE PATH PWD SHELL' } });
  });

  it('that calls what is not there says which', async () => {
    expect(await probe('/nonexistent/node x')).toEqual({
      state: 'no-program',
      said: expect.stringMatching(/\/nonexistent\/node: not found/),
    });
    const missing = await probe(`${process.execPath} /nonexistent/run.js`);
    expect(missing).toEqual({
      state: 'no-program',
      said: expect.stringMatching(/^Error: Cannot find module '\/nonexistent\/run\.js'/),
    });
  });

  it('that does not end is killed, with what it has started', async () => {
    const mark = newMark();
    const command = `trap '' TERM; sleep 1000 & wait; wait`;
    expect(await probe(command, { env: { ...env, MARK: mark }, timeoutMs: 500 })).toEqual({
      state: 'timed-out',
    });
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });

  it('of another user runs as that user, where root asks', async ({ skip }) => {
    const account = findAccount('nobody');
    skip(process.getuid?.() !== 0 || account === undefined, 'only root can be somebody else');
    expect(await probe(`printf '{"who": "%s"}' "$(id -un)"`, { account })).toEqual({
      ...{ state: 'answered', answer: { who: 'nobody' } },
    });
  });
});
