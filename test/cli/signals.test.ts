import { describe, expect, it } from 'vitest';
import { startFixture } from '../support/run-fixture.ts';

const signals = [
  { signal: 'SIGHUP', exitCode: 129, message: 'Stopped by SIGHUP (terminal closed)' },
  { signal: 'SIGINT', exitCode: 130, message: 'Stopped by SIGINT (Ctrl-C)' },
  { signal: 'SIGTERM', exitCode: 143, message: 'Stopped by SIGTERM' },
] as const;

describe.each(signals)('$signal', ({ signal, exitCode, message }) => {
  it('lets the command clean up, and ends with its own exit code', async () => {
    const { child, said, result } = startFixture(['waits']);
    await said('ready');
    child.kill(signal);
    const { exitCode: code, stderr } = await result;
    expect(stderr).toContain('cleaned up');
    expect(stderr).toContain(`tend: ${message}`);
    expect(code).toBe(exitCode);
  });

  it('does the same while listr2 draws on a terminal: it must not end the process itself with 127', async () => {
    const { child, said, result } = startFixture(['waits', '--terminal']);
    await said('ready');
    child.kill(signal);
    const { exitCode: code, stderr } = await result;
    expect(stderr).toContain('cleaned up');
    expect(code).toBe(exitCode);
  });

  it.skipIf(signal === 'SIGHUP')('ends the process at once when it comes a second time', async () => {
    const { child, said, result } = startFixture(['stubborn']);
    await said('ready');
    child.kill(signal);
    await said('aborting');
    child.kill(signal);
    expect((await result).exitCode).toBe(exitCode);
  });

  it('is an error object of its own under --json', async () => {
    const { child, said, result } = startFixture(['waits', '--json']);
    await said('ready');
    child.kill(signal);
    const { stdout } = await result;
    expect(JSON.parse(stdout)).toMatchObject({ error: { message, exitCode } });
  });

  it('keeps the result of a command that wound up in good order', async () => {
    const { child, said, result } = startFixture(['winds-up', '--json']);
    await said('ready');
    child.kill(signal);
    const { stdout, exitCode: code } = await result;
    expect(JSON.parse(stdout)).toEqual({ givenBack: 2 });
    expect(code).toBe(exitCode);
  });

  it('never hides a state that a person must put right', async () => {
    const { child, said, result } = startFixture(['stuck-after-signal']);
    await said('ready');
    child.kill(signal);
    const { stderr, exitCode: code } = await result;
    expect(stderr).toContain('The old database could not be put back');
    expect(code).toBe(2);
  });
});

it('a second SIGHUP ends nothing: a closing terminal may send two', async () => {
  const { child, said, result } = startFixture(['stubborn']);
  await said('ready');
  child.kill('SIGHUP');
  await said('aborting');
  child.kill('SIGHUP');
  child.kill('SIGTERM');
  expect((await result).exitCode).toBe(143);
});
