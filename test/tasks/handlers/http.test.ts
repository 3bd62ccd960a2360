import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { knownKinds } from '../../../src/tasks/handlers/registry.ts';
import type { TickReport } from '../../../src/tasks/run-tick.ts';
import { type Answer, reply, type Service, startService } from '../../http/support/service.ts';
import { createQueue, type Queue } from '../support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

interface TickGiven {
  headers?: Record<string, string>;
  env?: Record<string, string>;
  signal?: AbortSignal;
}

/** One real tick that may call `service`. */
async function tick(service: Service, given: TickGiven = {}): Promise<TickReport> {
  const http = {
    allow: [service.place],
    allow_private: ['127.0.0.1'],
    headers: { [service.place]: given.headers ?? {} },
  };
  const config = v.parse(configSchema, { http, tasks: { grace: '1s' } });
  const context = { ...queue.context(), config, env: given.env ?? {}, secrets: new SecretRegistry() };
  const kinds = knownKinds(config);
  return await queue.tick({}, { context, kinds, ...(given.signal && { signal: given.signal }) });
}

async function enqueue(payload: object, args: Record<string, unknown> = {}): Promise<number> {
  return await queue.enqueue('http', { payload, ...args });
}

async function makeDue(id: number): Promise<void> {
  await queue.database.query('update tend.tasks set run_at = now() where id = $1', [id]);
}

/** Everything the database keeps about tasks, but for what was put in. */
async function everythingStored(): Promise<string> {
  const rows = await queue.database.query<{ all: string }>(
    `select (select coalesce(jsonb_agg(to_jsonb(t) - 'payload'), '[]') from tend.tasks t)::text
         || (select coalesce(jsonb_agg(to_jsonb(a)), '[]') from tend.attempts a)::text as all`,
  );
  return rows[0]?.all ?? '';
}

/** Breaks the connection in the middle of the answer. */
const breakOff: Answer = (response) => {
  response.writeHead(200, { 'content-length': '100' });
  response.write('half', () => response.destroy());
};

describe('the attempt of a request that was answered as expected', () => {
  it('leaves the evidence of it', async () => {
    await using service = await startService([reply(307, '', { location: '/b' }), reply(201, '{"id": 7}\n')]);
    const id = await enqueue({ url: `${service.url}/a?x=1`, json: { total: 7 } });
    await tick(service);
    const [attempt] = await queue.attempts(id);
    expect(attempt).toMatchObject({ outcome: 'succeeded', error: null });
    expect(attempt?.evidence).toEqual({
      status: 201,
      method: 'POST',
      url: `${service.url}/a?x=1`,
      redirects: [{ status: 307, url: `${service.url}/b` }],
      durationMs: expect.any(Number),
      responseBytes: 10,
      responseTail: '{"id": 7}\n',
      idempotencyKey: service.received[1]?.headers['idempotency-key'],
    });
  });

  it('knows no key where none was sent', async () => {
    await using service = await startService(reply(200, 'pong'));
    const id = await enqueue({ url: service.url });
    await tick(service);
    const [attempt] = await queue.attempts(id);
    expect(attempt?.evidence).toMatchObject({ method: 'GET', idempotencyKey: null, responseTail: 'pong' });
  });

  it('keeps nothing that would move a cursor', async () => {
    await using service = await startService(reply(200, 'a\u001b[2Jb\u009bc\tä\r\n'));
    const id = await enqueue({ url: service.url });
    await tick(service);
    const [attempt] = await queue.attempts(id);
    expect(attempt?.evidence).toMatchObject({ responseTail: 'a\ufffd[2Jb\ufffdc\tä\r\n' });
  });
});

describe('the idempotency key', () => {
  it('is the same over all attempts, also after a retry by hand, and another one for every task', async () => {
    await using service = await startService([reply(503), breakOff, reply(404), reply(200)]);
    const id = await enqueue({ url: service.url, json: {} });
    for (let count = 0; count < 3; count += 1) {
      await tick(service);
      await makeDue(id);
    }
    expect(await queue.task(id)).toMatchObject({ state: 'failed', attempt: 3 });
    await queue.database.query('select tend.retry($1)', [id]);
    await tick(service);
    expect(await queue.task(id)).toMatchObject({ state: 'succeeded' });
    await enqueue({ url: service.url, json: {} });
    await tick(service);
    const keys = service.received.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(5);
    expect(keys[0]).toMatch(new RegExp(`^tend-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-${id}-[0-9a-z]+$`));
    expect(new Set(keys.slice(0, 4)).size).toBe(1);
    expect(keys[4]).not.toBe(keys[0]);
  });

  it('is another one for the task that has the same number in an adopted copy', async () => {
    await using service = await startService(reply(200));
    for (let count = 0; count < 2; count += 1) {
      await enqueue({ url: service.url, json: {} });
      await tick(service);
      await queue.clear(); // the numbers begin anew, the identity stays
      await sleep(5);
    }
    const keys = service.received.map(({ headers }) => headers['idempotency-key']);
    expect(new Set(keys).size).toBe(2);
  });

  it('is that of the payload, where it has one', async () => {
    await using service = await startService(reply(200));
    await enqueue({ url: service.url, json: {}, idempotencyKey: 'order-7' });
    await tick(service);
    expect(service.received[0]?.headers['idempotency-key']).toBe('order-7');
  });
});

describe('a status that was not expected', () => {
  it.each([408, 425, 429, 500, 501, 502, 503, 504, 599])('%d is tried again', async (status) => {
    await using service = await startService(reply(status, '{\n  "error": "later"\n}'));
    const id = await enqueue({ url: service.url });
    await tick(service);
    expect(await queue.task(id)).toMatchObject({ state: 'waiting', attempt: 1 });
    const [attempt] = await queue.attempts(id);
    expect(attempt?.error).toMatch(
      new RegExp(`^"${service.place}" answered ${status}.*: \\{ "error": "later" \\}$`),
    );
    expect(attempt?.output_tail).toContain('"error": "later"');
  });

  it.each([
    [400, ['2xx']],
    [401, ['2xx']],
    [404, ['2xx']],
    [410, ['2xx']],
    [422, ['2xx']],
    [304, ['2xx']],
    [302, ['2xx']],
    [200, [204]],
    [204, ['3xx', 404]],
  ] as const)('%d fails for good, %j being expected', async (status, expected) => {
    await using service = await startService(reply(status));
    const id = await enqueue({ url: service.url, expect: expected });
    await tick(service);
    expect(await queue.task(id)).toMatchObject({ state: 'failed', reason: 'permanent error', attempt: 1 });
    expect((await queue.task(id)).last_error).toMatch(new RegExp(`^"${service.place}" answered ${status}`));
  });

  it.each([
    [404, [404]],
    [404, ['404']],
    [503, ['5xx']],
    [302, [200, '3xx']],
  ])('%d is a success where %j is expected', async (status, expected) => {
    await using service = await startService(reply(status, '', { location: '/b' }));
    const id = await enqueue({ url: service.url, expect: expected });
    await tick(service);
    expect(await queue.task(id)).toMatchObject({ state: 'succeeded' });
  });
});

describe('Retry-After', () => {
  it('puts the next attempt off for as long, and the attempt counts: it cannot go on for ever', async () => {
    await using service = await startService(reply(429, 'slow down', { 'retry-after': '3600' }));
    const id = await enqueue({ url: service.url }, { max_attempts: 2 });
    const before = Date.now();
    await tick(service);
    const task = await queue.task(id);
    expect(task).toMatchObject({ state: 'waiting', attempt: 1, reason: 'to be retried' });
    expect(task.run_at.getTime()).toBeGreaterThanOrEqual(before + 3_599_000);
    expect(task.run_at.getTime()).toBeLessThan(Date.now() + 3_700_000);
    await makeDue(id);
    await tick(service);
    expect(await queue.task(id)).toMatchObject({ state: 'failed', reason: 'no attempts left', attempt: 2 });
  });

  it('of more than six hours is six hours', async () => {
    await using service = await startService(reply(503, '', { 'retry-after': '8640000' }));
    const id = await enqueue({ url: service.url });
    await tick(service);
    const delayMs = (await queue.task(id)).run_at.getTime() - Date.now();
    expect(delayMs).toBeGreaterThan(5.9 * 3_600_000);
    expect(delayMs).toBeLessThanOrEqual(6 * 3_600_000 + 1000);
  });
});

describe('an attempt without an answer', () => {
  it('is tried again: the service died in the middle of it', async () => {
    await using service = await startService([breakOff, reply(200, 'whole')]);
    const id = await enqueue({ url: service.url, json: {} });
    await tick(service);
    expect(await queue.task(id)).toMatchObject({
      ...{ state: 'waiting', attempt: 1 },
      last_error: expect.stringContaining('the connection broke before the answer was complete'),
    });
    await makeDue(id);
    await tick(service);
    expect(await queue.task(id)).toMatchObject({ state: 'succeeded', attempt: 2 });
  });

  it('goes back uncounted when the worker was told to stop', async () => {
    const controller = new AbortController();
    await using service = await startService((response) => {
      response.write('half');
      controller.abort();
    });
    const id = await enqueue({ url: service.url });
    await tick(service, { signal: controller.signal });
    expect(await queue.task(id)).toMatchObject({ state: 'waiting', attempt: 0 });
    expect(await queue.attempts(id)).toMatchObject([{ outcome: 'released' }]);
  });
});

it('a payload that does not fit fails for good, with the path of the field', async () => {
  await using service = await startService(reply(200));
  const id = await enqueue({ url: service.url, headers: { Host: 'evil.example' }, expect: ['all'] });
  await tick(service);
  const { state, last_error: error } = await queue.task(id);
  expect(state).toBe('failed');
  expect(error).toContain('headers.Host: this header cannot be set');
  expect(error).toContain('expect.0: a status from 200 to 599');
  expect(service.connections).toBe(0);
});

it('a place that is not listed fails for good, and the hint is for whoever may list it', async () => {
  await using service = await startService(reply(200));
  const id = await enqueue({ url: 'https://evil.example/' });
  await tick(service);
  expect(await queue.task(id)).toMatchObject({
    ...{ state: 'failed', reason: 'permanent error' },
    last_error: 'The request to "evil.example" is refused: it is not in [http] allow of tend.toml.',
  });
});

describe('a secret of the configuration', () => {
  const token = 'canary/4711+x==';
  const login = `Basic ${Buffer.from('bob:canary-password').toString('base64')}`;
  const headers = { Authorization: 'env:TOKEN', 'X-Login': login, 'X-Key': 'canary-key' };
  const env = { TOKEN: `Bearer ${token}` };
  /** What services say when they quote what they were sent. */
  const echo = [
    `Bearer ${token}`,
    token,
    encodeURIComponent(token),
    JSON.stringify(token).replaceAll('/', String.raw`\/`),
    'bob:canary-password',
    'canary-password',
    login,
    'canary-key',
  ];
  const isLeaked = (text: string) => /canary|4711|Ym9iOm/.test(text);

  it.each([200, 404, 503])('is nowhere, whatever the service says: status %d', async (status) => {
    await using service = await startService(reply(status, echo.join(' '), { 'x-echo': token }));
    await enqueue({ url: service.url, json: {} });
    await tick(service, { headers, env });
    expect(service.received[0]?.headers).toMatchObject({
      ...{ authorization: `Bearer ${token}`, 'x-login': login, 'x-key': 'canary-key' },
    });
    const stored = await everythingStored();
    expect(stored).toContain('*** *** ***');
    expect(isLeaked(stored), stored).toBe(false);
  });

  it('is not in the address of a redirect either', async () => {
    const location = `/b?echo=${encodeURIComponent(token)}&key=canary-key`;
    await using service = await startService([reply(302, '', { location }), reply(200)]);
    await enqueue({ url: service.url });
    await tick(service, { headers, env });
    const stored = await everythingStored();
    expect(stored).toContain('/b?echo=***');
    expect(isLeaked(stored), stored).toBe(false);
  });

  it('is not in what is kept of a long answer, wherever that begins', async () => {
    for (let cut = 1; cut < token.length; cut += 3) {
      // One line of which the last 16 KiB are kept, from within the token on.
      const rest = 'z'.repeat(16 * 1024 - (token.length - cut));
      await using service = await startService(reply(200, `${'z'.repeat(99)}${token}${rest}`));
      await enqueue({ url: service.url });
      await tick(service, { headers, env });
    }
    const stored = await everythingStored();
    expect(stored).toContain('"responseTail": "…zzz');
    expect(stored).not.toMatch(/anary|4711|11\+x/);
  });
});
