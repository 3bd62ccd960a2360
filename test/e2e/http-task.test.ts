import { describe, expect, it, vi } from 'vitest';
import { type Answer, reply, type Service, startService } from '../http/support/service.ts';
import { createQueueSite, json, type QueueSite } from './queue-site.ts';

vi.setConfig({ testTimeout: 90_000 });

/** A site that may call `service`, with a login that comes from the environment. */
async function createHttpSite(service: Service): Promise<QueueSite> {
  const site = await createQueueSite(`
[http]
allow = ["${service.place}"]
allow_private = ["127.0.0.1"]
[http.headers."${service.place}"]
Authorization = "env:CRM_AUTHORIZATION"
`);
  await site.tend(['migrations', 'up']);
  return site;
}

const env = { CRM_AUTHORIZATION: 'Bearer canary-4711' };
const echo: Answer = (response, { headers }) =>
  response.writeHead(200).end(`you sent ${headers.authorization}`);

describe('a task of kind http, enqueued by SQL', () => {
  it('is run by a tick, and its evidence is shown', async () => {
    await using service = await startService(echo);
    await using site = await createHttpSite(service);
    const id = await site.enqueue('http', { url: `${service.url}/contacts`, json: { name: 'Ann' } });
    const tick = await site.tend(['run-due-tasks', '-vv'], { env });
    expect(tick.exitCode, tick.stderr).toBe(0);
    expect(service.received).toMatchObject([
      {
        method: 'POST',
        url: '/contacts',
        body: '{"name":"Ann"}',
        headers: { authorization: 'Bearer canary-4711' },
      },
    ]);
    const shown = await site.tend(['tasks', 'show', String(id), '--json']);
    expect(json(shown)).toMatchObject({
      task: {
        state: 'succeeded',
        attempts: [
          {
            outcome: 'succeeded',
            evidence: {
              status: 200,
              method: 'POST',
              url: `${service.url}/contacts`,
              responseBytes: 27,
              responseTail: 'you sent ***',
              idempotencyKey: service.received[0]?.headers['idempotency-key'],
            },
          },
        ],
      },
    });
    const text = await site.tend(['tasks', 'show', String(id)]);
    expect(text.stdout).toContain('"responseTail":"you sent ***"');
    for (const output of [tick, shown, text]) expect(output.stdout + output.stderr).not.toContain('canary');
    expect(await site.sessions()).toEqual([]);
  });

  it('fails for good where the service refuses it: exit code 3, and no secret in what is said', async () => {
    await using service = await startService((response, { headers }) =>
      response.writeHead(403).end(`no rights for ${headers.authorization}`),
    );
    await using site = await createHttpSite(service);
    const id = await site.enqueue('http', { url: service.url });
    const tick = await site.tend(['run-due-tasks', '-vv', '--json'], { env });
    expect(tick.exitCode).toBe(3);
    expect(await site.task(id)).toMatchObject({
      state: 'failed',
      last_error: `"${service.place}" answered 403 Forbidden: no rights for ***`,
    });
    expect(tick.stdout + tick.stderr).not.toContain('canary');
  });

  it('uses no proxy of the environment', async () => {
    await using service = await startService(reply(200));
    await using proxy = await startService(reply(502));
    await using site = await createHttpSite(service);
    const id = await site.enqueue('http', { url: service.url });
    const proxies = { HTTP_PROXY: proxy.url, http_proxy: proxy.url, ALL_PROXY: proxy.url };
    const result = await site.tend(['run-due-tasks'], {
      env: { ...env, ...proxies, NODE_USE_ENV_PROXY: '1' },
    });
    expect(result.exitCode, result.stderr).toBe(0);
    expect(await site.task(id)).toMatchObject({ state: 'succeeded' });
    expect(service.received).toHaveLength(1);
    expect(proxy.connections).toBe(0);
  });

  it('is tried again by a later tick where the variable of a header is not set, and the error names it', async () => {
    await using service = await startService(reply(200));
    await using site = await createHttpSite(service);
    const id = await site.enqueue('http', { url: service.url });
    const tick = await site.tend(['run-due-tasks']);
    expect(tick.exitCode).toBe(0);
    expect(await site.task(id)).toMatchObject({
      state: 'waiting',
      last_error: expect.stringContaining(
        'refers to the environment variable CRM_AUTHORIZATION, which is not set',
      ),
    });
    expect(service.connections).toBe(0);
    await site.tend(['run-due-tasks', '--task', String(id)], { env });
    expect(await site.task(id)).toMatchObject({ state: 'succeeded' });
  });
});

describe('a worker killed in the middle of a request', () => {
  it('leaves a task that the next tick sends again, under the same key', async () => {
    await using service = await startService([() => {}, reply(200)]);
    await using site = await createHttpSite(service);
    const id = await site.enqueue('http', { url: service.url, json: {} });
    const worker = await site.start(['run-due-tasks'], { env });
    await expect.poll(() => service.received.length, { timeout: 30_000 }).toBe(1);
    worker.child.kill('SIGKILL');
    await worker.result;
    const next = await site.tend(['run-due-tasks', '--drain'], { env });
    expect(next.exitCode, next.stderr).toBe(0);
    await site.tend(['run-due-tasks', '--task', String(id)], { env });
    expect(await site.task(id)).toMatchObject({ state: 'succeeded', attempt: 2 });
    expect((await site.attempts(id)).map(({ outcome }) => outcome)).toEqual(['lost', 'succeeded']);
    const keys = service.received.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(2);
    expect(keys[1]).toBe(keys[0]);
  });

  it('told to stop first, gives the task back and ends soon: exit code 143', async () => {
    await using service = await startService(() => {});
    await using site = await createHttpSite(service);
    const id = await site.enqueue('http', { url: service.url, json: {} });
    const worker = await site.start(['run-due-tasks'], { env });
    await expect.poll(() => service.received.length, { timeout: 30_000 }).toBe(1);
    worker.child.kill('SIGTERM');
    const ended = await worker.result;
    expect(ended.exitCode, ended.stderr).toBe(143);
    expect(await site.task(id)).toMatchObject({ state: 'waiting', attempt: 0 });
  });
});
