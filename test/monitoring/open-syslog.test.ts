import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSyslog } from '../../src/monitoring/open-syslog.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasSyslog, startSyslogDaemon, useLogger } from './support/syslog-daemon.ts';

const options = { facility: 'daemon', cwd: '/', pid: 4711 };

describe.runIf(hasSyslog)('the syslog daemon', () => {
  it('gets each line as a message of its own with its facility and level, signed with our pid, as it comes', async () => {
    await using daemon = await startSyslogDaemon();
    const syslog = openSyslog({ ...options, env: { PATH: daemon.path } });
    syslog.write(3, ['it failed', '<13>as nobody wrote it']);
    expect(await daemon.arrived(2)).toEqual([
      expect.stringMatching(/^<27>\w{3} [ \d]\d [\d:]{8} tend\[4711\]: it failed$/),
      expect.stringMatching(/^<27>.* tend\[4711\]: <13>as nobody wrote it$/),
    ]);
    syslog.write(6, ['it goes on']);
    expect((await daemon.arrived(3)).at(-1)).toMatch(/^<30>.*: it goes on$/);
    expect(await syslog.close()).toBeUndefined();
    expect(await daemon.starts()).toHaveLength(1);
  });

  it('gets a long message whole', async () => {
    await using daemon = await startSyslogDaemon();
    const syslog = openSyslog({ ...options, facility: 'local7', env: { PATH: daemon.path } });
    syslog.write(4, ['é'.repeat(30_000)]);
    const [message = ''] = await daemon.arrived(1);
    expect(await syslog.close()).toBeUndefined();
    expect(message).toMatch(/^<188>.*: é{30000}$/);
  });

  it('that takes nothing is given up, and that is said', async () => {
    await using daemon = await startSyslogDaemon('deaf');
    const syslog = openSyslog({ ...options, env: { PATH: daemon.path } });
    syslog.write(
      3,
      Array.from({ length: 2000 }, (_, index) => `message ${index}`),
    );
    expect(await syslog.close()).toBe('it did not take it within 2 s');
  });
});

describe('a system log that is not there', () => {
  it.each([
    { what: 'no logger', script: undefined, problem: /"logger" was not found/ },
    {
      what: 'one that fails at once',
      script: 'echo no socket >&2; exit 1',
      problem: /exit code 1: no socket/,
    },
    { what: 'one that stops reading', script: 'read -r line; exit 3', problem: /exit code 3/ },
  ])('is a reason, never an error: $what', async ({ script, problem }) => {
    await using directory = await temporaryDirectory();
    const path =
      script === undefined ? join(directory.path, 'none') : await useLogger(directory.path, script);
    const syslog = openSyslog({ ...options, env: { PATH: path } });
    syslog.write(3, ['x'.repeat(200_000)]);
    for (let count = 0; count < 5; count += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      syslog.write(3, ['one more']);
    }
    expect(await syslog.close()).toMatch(problem);
  });
});
