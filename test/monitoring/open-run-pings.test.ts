import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../src/log.ts';
import { openRunPings } from '../../src/monitoring/open-run-pings.ts';
import { SecretRegistry } from '../../src/redact.ts';
import { startService } from './support/ping-service.ts';

const runId = randomUUID();
const finished = { exitCode: 0, said: [], isStopped: false };

describe('the pings of a run', () => {
  it('tell the start and the exit code under one run id, with what the command said', async () => {
    await using service = await startService(200);
    const pings = openRunPings({ url: service.url, runId, log: silentLog, secrets: new SecretRegistry() });
    await service.arrived(1);
    await pings.finish({ exitCode: 3, said: ['one', 'two'], isStopped: false });
    const rid = service.pings[0]?.rid;
    expect(rid).toMatch(/^[0-9a-f-]{36}$/);
    expect(service.pings).toEqual([
      { path: '/secret-check/start', rid, body: '' },
      { path: '/secret-check/3', rid, body: 'one\ntwo' },
    ]);
  });

  it('are tried again when the service fails, and not when it refuses', async () => {
    await using failing = await startService(200, 503, 200);
    const pings = openRunPings({ url: failing.url, runId, log: silentLog, secrets: new SecretRegistry() });
    await failing.arrived(1);
    await pings.finish(finished);
    expect(failing.pings.map(({ path }) => path)).toEqual([
      '/secret-check/start',
      '/secret-check/0',
      '/secret-check/0',
    ]);
    await using refusing = await startService(404);
    const refused = openRunPings({ url: refusing.url, runId, log: silentLog, secrets: new SecretRegistry() });
    await refusing.arrived(1);
    await refused.finish(finished);
    expect(refusing.pings.map(({ path }) => path)).toEqual(['/secret-check/start', '/secret-check/0']);
  });

  it('send at most 10 kB, the end of it, and no secret', async () => {
    await using service = await startService(200);
    const secrets = new SecretRegistry();
    secrets.add('hush-hush');
    const pings = openRunPings({ url: service.url, runId, log: silentLog, secrets });
    await service.arrived(1);
    await pings.finish({ ...finished, said: ['é'.repeat(9_000), 'with hush-hush', 'the end'] });
    const body = service.pings[1]?.body ?? '';
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(10_000);
    expect(body.endsWith('with ***\nthe end')).toBe(true);
  });

  it('leave a line of information without the address when nobody answers', async () => {
    const lines: string[] = [];
    const log = { ...silentLog, info: (line: string) => void lines.push(line) };
    const pings = openRunPings({
      url: 'http://127.0.0.1:1/secret-check',
      runId,
      log,
      secrets: new SecretRegistry(),
    });
    await pings.finish({ ...finished, isStopped: true });
    expect(lines).toEqual(['The monitoring service was not told of the end: ECONNREFUSED']);
  });
});
