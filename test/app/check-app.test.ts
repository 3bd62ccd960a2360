import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { type AppCheck, checkApp } from '../../src/app/check-app.ts';
import { systemClock } from '../../src/clock.ts';
import { silentLog } from '../../src/log.ts';
import { SecretRegistry } from '../../src/redact.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A real server that gives the n-th request the n-th answer, and the last one from then on. */
async function serve(...answers: ((request: IncomingMessage, response: ServerResponse) => void)[]) {
  let count = 0;
  const server = createServer((request, response) => {
    const answer = answers[Math.min(count, answers.length - 1)];
    count += 1;
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  // listen() on TCP gives an address with a port, never a pipe's name.
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/health`, requests: () => count };
}

const reply = (status: number, body = '', headers: Record<string, string> = {}) => {
  return (_request: IncomingMessage, response: ServerResponse) =>
    response.writeHead(status, headers).end(body);
};

function check(partial: Partial<AppCheck>, signal = new AbortController().signal, clock = systemClock) {
  return checkApp({
    check: { status: 200, within: 0, steady: 1, ...partial },
    baseDirectory: tmpdir(),
    env: process.env,
    secrets: new SecretRegistry(),
    clock,
    log: silentLog,
    signal,
  });
}

describe('over HTTP', () => {
  test('a page with the expected status is healthy at the first try', async () => {
    const { url } = await serve(reply(200));
    await expect(check({ url })).resolves.toMatchObject({ tries: 1 });
  });

  test('what is left of the time need not be a whole number of milliseconds', async () => {
    const { url } = await serve(reply(503), reply(200));
    await expect(check({ url, within: 5000.5 })).resolves.toMatchObject({ tries: 2 });
  });

  test.each([
    { title: 'another status', answer: reply(503), why: 'answered 503, 200 was expected' },
    { title: 'a redirect', answer: reply(302, '', { location: '/login' }), why: 'answered 302 (to /login)' },
    { title: 'a page without the text', answer: reply(200, 'starting'), why: 'does not contain "ready"' },
  ])('$title is not healthy, and the reason says so', async ({ answer, why }) => {
    const { url } = await serve(answer);
    await expect(check({ url, contains: 'ready' })).rejects.toMatchObject({
      code: 'APP_UNHEALTHY',
      exitCode: 69,
      message: expect.stringContaining(why),
    });
  });

  test('nobody listening is not healthy', async () => {
    const { url } = await serve(reply(200));
    for (const close of closing.splice(0)) close();
    await expect(check({ url })).rejects.toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
  });

  test('keeps trying within its time until the application has come up', async () => {
    const { url } = await serve(reply(502), reply(502), reply(200, 'all is ok'));
    await expect(check({ url, contains: 'ok', within: 30_000 })).resolves.toMatchObject({ tries: 3 });
  });

  test('waits out what is left of its time, though less than a pause, and asks one last time', async () => {
    let nowMs = 0;
    const clock = { ...systemClock, monotonicMs: () => nowMs };
    const { url } = await serve((_request, response) => {
      nowMs = 59_990; // all but 10 ms of the time is over when the first answer comes
      response.writeHead(503).end();
    }, reply(200));
    const asked = check({ url, within: 60_000 }, new AbortController().signal, clock);
    await expect(asked).resolves.toMatchObject({ tries: 2 });
  });

  test('gives up when the last answer, at the end of its time, is bad too', async () => {
    let nowMs = 0;
    const clock = { ...systemClock, monotonicMs: () => nowMs };
    const { url, requests } = await serve((_request, response) => {
      nowMs = nowMs === 0 ? 59_990 : 60_000;
      response.writeHead(503).end();
    });
    const asked = check({ url, within: 60_000 }, new AbortController().signal, clock);
    await expect(asked).rejects.toMatchObject({ code: 'APP_UNHEALTHY' });
    expect(requests()).toBe(2);
  });

  test('a bad answer between good ones starts the count of good ones anew', async () => {
    const { url, requests } = await serve(reply(200), reply(500), reply(200));
    await expect(check({ url, steady: 2, within: 30_000 })).resolves.toMatchObject({ tries: 4 });
    expect(requests()).toBe(4);
  });

  test('logs in with the user of the URL and never shows the password', async () => {
    const seen: (string | undefined)[] = [];
    const { url } = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401).end();
    });
    const error = await check({ url: url.replace('//', '//anna:h%40rd@') }).catch(
      (thrown: unknown) => thrown,
    );
    expect(seen).toEqual([`Basic ${Buffer.from('anna:h@rd').toString('base64')}`]);
    expect(String(error)).not.toMatch(/h@rd|h%40rd/);
  });

  test('stops at once when asked to', async () => {
    const controller = new AbortController();
    const { url } = await serve((_request, response) => {
      controller.abort(new Error('asked to stop'));
      response.writeHead(503).end();
    });
    await expect(check({ url, within: 60_000 }, controller.signal)).rejects.toThrow('asked to stop');
  });
});

describe('by a command', () => {
  test('exit code 0 is healthy', async () => {
    await expect(check({ command: ['true'] })).resolves.toMatchObject({ tries: 1 });
  });

  test('any other exit code is not, with what the command said', async () => {
    const command = ['sh', '-c', 'echo "no worker answers" >&2; exit 3'];
    await expect(check({ command })).rejects.toMatchObject({
      code: 'APP_UNHEALTHY',
      message: expect.stringMatching(/exit code 3: no worker answers/),
    });
  });
});

test('a check that names neither url nor command is an error of the configuration', async () => {
  await expect(check({})).rejects.toMatchObject({ code: 'APP_NOT_CONFIGURED', exitCode: 78 });
});
