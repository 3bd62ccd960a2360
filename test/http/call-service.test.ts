import { type AddressInfo, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { version } from '../../src/version.ts';
import { call } from './support/call.ts';
import { reply, startService } from './support/service.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((found) =>
  found?.some(({ address }) => address === '::1'),
);

describe('a request', () => {
  it('goes out as the payload says, and the answer comes back', async () => {
    await using service = await startService(reply(201, '{"id": 7}'));
    const answer = await call(
      { url: `${service.url}/v1/orders?x=a%20b`, json: { total: 'ü' }, headers: { 'X-Trace': 'abc' } },
      { http: { allow: [service.place] }, idempotencyKey: 'order-7' },
    );
    expect(answer).toMatchObject({ status: 201, body: { bytes: 9, tail: '{"id": 7}' }, redirects: [] });
    expect(service.received).toEqual([
      {
        method: 'POST',
        url: '/v1/orders?x=a%20b',
        body: '{"total":"ü"}',
        headers: {
          accept: '*/*',
          'accept-encoding': 'identity',
          connection: 'close',
          'content-length': '14',
          'content-type': 'application/json',
          host: `127.0.0.1:${service.port}`,
          'idempotency-key': 'order-7',
          'user-agent': `tend/${version}`,
          'x-trace': 'abc',
        },
      },
    ]);
  });

  it.each(['GET', 'HEAD'])('of method %s carries no key', async (method) => {
    await using service = await startService(reply(200, 'hello'));
    const answer = await call(
      { url: service.url, method },
      { http: { allow: [service.place] }, idempotencyKey: 'order-7' },
    );
    expect(answer.body.bytes).toBe(method === 'GET' ? 5 : 0);
    expect(service.received[0]?.headers).not.toHaveProperty('idempotency-key');
    expect(service.received[0]?.headers).not.toHaveProperty('content-type');
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'of method %s carries the key, also without a body',
    async (method) => {
      await using service = await startService(reply(204));
      await call(
        { url: service.url, method },
        { http: { allow: [service.place] }, idempotencyKey: 'order-7' },
      );
      expect(service.received[0]?.headers['idempotency-key']).toBe('order-7');
    },
  );

  it('uses a connection of its own, which is closed afterwards', async () => {
    await using service = await startService(reply(200));
    for (let count = 0; count < 2; count += 1)
      await call({ url: service.url }, { http: { allow: [service.place] } });
    expect(service.connections).toBe(2);
  });
});

describe('a place that is not listed', () => {
  it.each([
    ['nothing is listed', []],
    ['https is listed, not http', ['127.0.0.1:PORT']],
    ['another port is listed', ['http://127.0.0.1:1']],
    ['the port of http is listed', ['http://127.0.0.1']],
    ['another name of the same host is listed', ['http://localhost:PORT']],
  ])('gets nothing: %s', async (_why, allow) => {
    await using service = await startService(reply(200));
    const listed = allow.map((entry) => entry.replace('PORT', String(service.port)));
    await expect(call({ url: service.url }, { http: { allow: listed } })).rejects.toMatchObject({
      ...{ code: 'HTTP_NOT_ALLOWED', exitCode: 77, isPermanent: true },
      message: `The request to "${service.place}" is refused: it is not in [http] allow of tend.toml.`,
    });
    expect(service.connections).toBe(0);
  });
});

describe('an address on this side of the internet', () => {
  it.each([
    ...[
      '127.0.0.1',
      '2130706433',
      '0x7f.0.0.1',
      '0177.1',
      '127.1',
      '１２７.0.0.1',
      '%31%32%37.0.0.1',
      '127.0.0.1.',
    ],
    ...['localhost', 'LOCALHOST', '0.0.0.0', '0', '[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]'],
    ...['[64:ff9b::127.0.0.1]', '[2002:7f00:1::]', '169.254.169.254', '10.0.0.1', '[fd00::1]', '[fe80::1]'],
  ])('is refused unless it is listed, though the name is: %s', async (host) => {
    await using service = await startService(reply(200));
    const url = `http://${host}:${service.port}/`;
    const { hostname } = new URL(url);
    const allow = [`http://${hostname}:${service.port}`];
    await expect(call({ url }, { http: { allow, allow_private: [] } })).rejects.toMatchObject({
      ...{ code: 'HTTP_ADDRESS_REFUSED', exitCode: 77, isPermanent: true },
      hint: expect.stringContaining('allow_private'),
    });
    expect(service.connections).toBe(0);
  });

  it.each(['127.0.0.1', '127.0.0.0/8', '::ffff:127.0.0.1'])(
    'is reached when it is listed: %s',
    async (network) => {
      await using service = await startService(reply(200));
      const http = { allow: [service.place], allow_private: [network] };
      await expect(call({ url: service.url }, { http })).resolves.toMatchObject({ status: 200 });
    },
  );

  it.runIf(hasIpv6).each([
    ['[::ffff:127.0.0.1]', '127.0.0.1'],
    ['[::1]', '::1/128'],
  ])('is reached when it is listed, also in IPv6: %s by %s', async (host, network) => {
    await using service = await startService(reply(200), { host: '::' });
    const url = `http://${host}:${service.port}/`;
    const http = { allow: [`http://${new URL(url).host}`], allow_private: [network] };
    await expect(call({ url }, { http })).resolves.toMatchObject({ status: 200 });
  });

  it.each([
    '10.0.0.5',
    '169.254.169.254',
    '::1',
    '::ffff:10.0.0.5',
    '64:ff9b::a00:5',
    'fe80::1%eth0',
    'nonsense',
  ])('is refused whatever name led there: %s', async (address) => {
    const resolveHost = async () => [{ address, family: address.includes(':') ? 6 : 4 }];
    await expect(
      call(
        { url: 'https://api.example.org/' },
        { http: { allow: ['api.example.org'], allow_private: [] }, resolveHost },
      ),
    ).rejects.toMatchObject({
      code: 'HTTP_ADDRESS_REFUSED',
      message: expect.stringContaining(
        `The request to "api.example.org" is refused: it leads to ${address}, a`,
      ),
    });
  });
});

describe('the addresses of a name', () => {
  it('are looked up once, and one of those is connected to: a second answer cannot lead elsewhere', async () => {
    await using good = await startService(reply(200, 'good'));
    const asked: string[] = [];
    const resolveHost = async (hostname: string) => {
      asked.push(hostname);
      // The second answer would be refused, and so would be what the system says about the name: nothing.
      return [{ address: asked.length === 1 ? '127.0.0.1' : '10.0.0.5', family: 4 }];
    };
    const url = `http://rebinding.invalid:${good.port}/`;
    const http = { allow: [`http://rebinding.invalid:${good.port}`], allow_private: ['127.0.0.1'] };
    const answer = await call({ url }, { http, resolveHost });
    expect(answer.body.tail).toBe('good');
    expect(asked).toEqual(['rebinding.invalid']);
    expect(good.received[0]?.headers.host).toBe(`rebinding.invalid:${good.port}`);
    await expect(call({ url }, { http, resolveHost })).rejects.toMatchObject({
      code: 'HTTP_ADDRESS_REFUSED',
    });
  });

  it('that are refused are left out, where others remain', async () => {
    await using service = await startService(reply(200));
    const resolveHost = async () => [
      { address: '10.255.255.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
    const url = `http://two.invalid:${service.port}/`;
    const http = { allow: [`http://two.invalid:${service.port}`], allow_private: ['127.0.0.1'] };
    await expect(call({ url }, { http, resolveHost })).resolves.toMatchObject({ status: 200 });
  });

  it('are tried one after the other', async () => {
    await using service = await startService(reply(200));
    const resolveHost = async () => [
      { address: '::1', family: 6 }, // nobody listens there
      { address: '127.0.0.1', family: 4 },
    ];
    const url = `http://two.invalid:${service.port}/`;
    const http = { allow: [`http://two.invalid:${service.port}`] };
    await expect(call({ url }, { http, resolveHost })).resolves.toMatchObject({ status: 200 });
  });
});

describe('a redirect', () => {
  it('is followed within the same host, with all headers, and is on record', async () => {
    await using service = await startService([
      reply(307, 'moved', { location: '/b?x=1' }),
      reply(200, 'here'),
    ]);
    const answer = await call(
      { url: `${service.url}/a`, json: 1, headers: { 'X-Api-Key': 'k' } },
      { http: { allow: [service.place] }, idempotencyKey: 'key' },
    );
    expect(answer).toMatchObject({ status: 200, body: { tail: 'here' } });
    expect(answer.redirects).toEqual([{ status: 307, url: `${service.url}/b?x=1` }]);
    expect(service.received.map(({ method, url, body }) => `${method} ${url} ${body}`)).toEqual([
      'POST /a 1',
      'POST /b?x=1 1',
    ]);
    expect(service.received[1]?.headers).toMatchObject({ 'x-api-key': 'k', 'idempotency-key': 'key' });
  });

  it.each([
    [301, 'GET', undefined],
    [302, 'GET', undefined],
    [303, 'GET', undefined],
    [307, 'POST', 'key'],
    [308, 'POST', 'key'],
  ])('of status %d after a POST becomes a %s', async (status, method, key) => {
    await using service = await startService([reply(status, '', { location: '/b' }), reply(200)]);
    await call({ url: service.url, body: 'x' }, { http: { allow: [service.place] }, idempotencyKey: 'key' });
    expect(service.received[1]).toMatchObject({ method, body: method === 'GET' ? '' : 'x' });
    expect(service.received[1]?.headers['idempotency-key']).toBe(key);
    expect(service.received[1]?.headers['content-length']).toBe(method === 'GET' ? undefined : '1');
  });

  it('that was expected is the answer, and is not followed', async () => {
    await using service = await startService(reply(302, '', { location: 'https://evil.example/' }));
    const answer = await call({ url: service.url, expect: [302] }, { http: { allow: [service.place] } });
    expect(answer.status).toBe(302);
  });

  it.each([
    ['another host', 'https://evil.example/'],
    ['another port', 'http://127.0.0.1:1/'],
    ['the metadata service', 'http://169.254.169.254/latest/meta-data/'],
    ['an address in disguise', 'http://2852039166/'],
    ['a host without a scheme', '//evil.example/'],
    ['a tricky host', 'http://127.0.0.1:80@evil.example/'],
  ])('to %s is refused for good', async (_what, location) => {
    await using service = await startService(reply(302, '', { location }));
    const called = call({ url: service.url }, { http: { allow: [service.place] } });
    await expect(called).rejects.toMatchObject({
      ...{ code: expect.stringMatching(/^HTTP_(NOT_ALLOWED|REDIRECT_REFUSED)$/), isPermanent: true },
    });
    expect(service.received).toHaveLength(1);
  });

  it('to a listed name that leads to an address on this side of the internet is refused', async () => {
    await using service = await startService(reply(302, '', { location: 'https://api.example.org/' }));
    const resolveHost = async (hostname: string) => [
      { address: hostname === 'start.invalid' ? '127.0.0.1' : '10.0.0.5', family: 4 },
    ];
    const allow = [`http://start.invalid:${service.port}`, 'api.example.org'];
    const called = call({ url: `http://start.invalid:${service.port}/` }, { http: { allow }, resolveHost });
    await expect(called).rejects.toMatchObject({ code: 'HTTP_ADDRESS_REFUSED' });
  });

  it('does not go on for ever', async () => {
    await using service = await startService(reply(302, '', { location: '/again' }));
    await expect(call({ url: service.url }, { http: { allow: [service.place] } })).rejects.toMatchObject({
      ...{ code: 'HTTP_REDIRECT_REFUSED', isPermanent: true },
      message: `"${service.place}" redirects more than 5 times.`,
    });
    expect(service.received).toHaveLength(6);
  });

  it('whose own body never ends is followed all the same', async () => {
    await using service = await startService([
      (response) => void response.writeHead(302, { location: '/b' }).write('x'),
      reply(200),
    ]);
    await expect(call({ url: service.url }, { http: { allow: [service.place] } })).resolves.toMatchObject({
      status: 200,
    });
  });
});

describe('the headers of the configuration', () => {
  const header = 'Bearer canary-4711';

  it('go to their host, and never to another one that it redirects to', async () => {
    await using other = await startService(reply(200));
    await using service = await startService(reply(307, '', { location: `${other.url}/b` }));
    const http = {
      allow: [service.place, other.place],
      headers: { [service.place]: { Authorization: 'env:TOKEN' }, [other.place]: { 'X-Own': 'own' } },
    };
    await call(
      { url: service.url, body: 'x', headers: { Cookie: 'session', 'X-Key': 'k', Accept: 'text/plain' } },
      { http, env: { TOKEN: header } },
    );
    expect(service.received[0]?.headers).toMatchObject({
      authorization: header,
      cookie: 'session',
      'x-key': 'k',
    });
    expect(service.received[0]?.headers).not.toHaveProperty('x-own');
    expect(other.received[0]?.headers).toMatchObject({ 'x-own': 'own', accept: 'text/plain' });
    for (const name of ['authorization', 'cookie', 'x-key']) {
      expect(other.received[0]?.headers).not.toHaveProperty(name);
    }
  });

  it('do not follow a redirect back from another host either, but are those of each host', async () => {
    const places: string[] = [];
    await using other = await startService((response) =>
      response.writeHead(307, { location: `http://${places[0]}/back` }).end(),
    );
    await using service = await startService([reply(307, '', { location: other.url }), reply(200)]);
    places.push(`127.0.0.1:${service.port}`);
    const http = {
      allow: [service.place, other.place],
      headers: { [service.place]: { Authorization: header } },
    };
    await call({ url: service.url }, { http });
    expect(service.received.map(({ headers }) => headers.authorization)).toEqual([header, header]);
    expect(other.received[0]?.headers).not.toHaveProperty('authorization');
  });

  it('cannot be replaced by a payload', async () => {
    await using service = await startService(reply(200));
    const http = { allow: [service.place], headers: { [service.place]: { Authorization: header } } };
    const called = call({ url: service.url, headers: { AUTHORIZATION: 'mine' } }, { http });
    await expect(called).rejects.toMatchObject({
      ...{ code: 'PAYLOAD_INVALID', isPermanent: true },
      message: expect.stringContaining('headers.authorization: [http.headers] of tend.toml sets this header'),
    });
    expect(service.connections).toBe(0);
  });

  it.each([
    ['is not set', undefined, 'refers to the environment variable TOKEN, which is not set'],
    ['ends with a line break', 'canary-4711\n', 'it contains a line break'],
    ['holds another header', 'a\r\nX-Evil: 1', 'it contains a line break'],
  ])('are an error of the configuration where the variable %s', async (_what, token, message) => {
    await using service = await startService(reply(200));
    const http = { allow: [service.place], headers: { [service.place]: { Authorization: 'env:TOKEN' } } };
    const called = call({ url: service.url }, { http, env: token === undefined ? {} : { TOKEN: token } });
    await expect(called).rejects.toMatchObject({
      ...{ code: 'CONFIG_INVALID', isPermanent: false },
      message: expect.stringContaining(message),
    });
    await expect(called).rejects.toMatchObject({ message: expect.not.stringContaining('canary') });
    expect(service.connections).toBe(0);
  });
});

describe('an answer', () => {
  it('of any length is read in constant memory, and its end is kept', async () => {
    const megabytes = 400;
    const chunk = Buffer.alloc(1 << 20, 'x\n');
    await using service = await startService((response) => {
      let left = megabytes;
      const fill = () => {
        while (left > 0) {
          left -= 1;
          if (!response.write(chunk)) return void response.once('drain', fill);
        }
        response.end('the end');
      };
      fill();
    });
    const before = process.memoryUsage().rss;
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5);
    const { body } = await call({ url: service.url }, { http: { allow: [service.place] } });
    clearInterval(watch);
    expect(body.bytes).toBe(megabytes * (1 << 20) + 7);
    expect(body.tail?.endsWith('the end')).toBe(true);
    expect(Buffer.byteLength(body.tail ?? '')).toBeLessThanOrEqual(16 * 1024 + 3);
    expect(peak - before).toBeLessThan(200 * (1 << 20));
  });

  it('that is longer than allowed is not read on', async () => {
    await using service = await startService((response) => {
      response.write('x'.repeat(2000)); // and never ends
    });
    const called = call({ url: service.url, maxResponseBytes: 1000 }, { http: { allow: [service.place] } });
    await expect(called).rejects.toMatchObject({ code: 'HTTP_RESPONSE_TOO_LARGE', isPermanent: true });
  });

  it.each([
    ['binary', {}, 'a\0b'],
    ['compressed though that was not wanted', { 'content-encoding': 'gzip' }, 'x'],
  ])('that is %s is counted, not kept', async (_what, headers, content) => {
    await using service = await startService(reply(200, content, headers));
    const { body } = await call({ url: service.url }, { http: { allow: [service.place] } });
    expect(body).toEqual({ bytes: content.length, beginning: '', tail: undefined });
  });

  it('that trickles in for ever ends with the time limit', async () => {
    await using service = await startService((response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const called = call({ url: service.url, timeoutMs: 300 }, { http: { allow: [service.place] } });
    await expect(called).rejects.toMatchObject({
      ...{ code: 'HTTP_TIMED_OUT', exitCode: 69, isPermanent: false },
      message: `"${service.place}" did not answer completely within 300 ms.`,
    });
  });

  it('whose headers trickle in for ever does too', async () => {
    await using server = await rawServer((write) => {
      write('HTTP/1.1 200 OK\r\n');
      let count = 0;
      const timer = setInterval(() => write(`X-${(count += 1)}: a\r\n`), 20);
      return () => clearInterval(timer);
    });
    const called = call({ url: server.url }, { http: { allow: [server.url], timeout: '300ms' } });
    await expect(called).rejects.toMatchObject({ code: 'HTTP_TIMED_OUT' });
  });

  it('that is announced for ever does too', async () => {
    await using server = await rawServer((write) => {
      const timer = setInterval(() => write('HTTP/1.1 102 Processing\r\n\r\n'), 20);
      return () => clearInterval(timer);
    });
    const called = call({ url: server.url, timeoutMs: 300 }, { http: { allow: [server.url] } });
    await expect(called).rejects.toMatchObject({ code: 'HTTP_TIMED_OUT' });
  });

  it('that never begins does too, and so does a name that nobody answers for', async () => {
    await using service = await startService(() => {});
    const http = { allow: [service.place, 'slow.invalid'] };
    await expect(call({ url: service.url, timeoutMs: 300 }, { http })).rejects.toMatchObject({
      code: 'HTTP_TIMED_OUT',
    });
    const resolveHost = async () => await new Promise<never>(() => {});
    await expect(
      call({ url: 'https://slow.invalid/', timeoutMs: 300 }, { http, resolveHost }),
    ).rejects.toMatchObject({ code: 'HTTP_TIMED_OUT' });
  });

  it.each([
    ['is cut short', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', 'ECONNRESET'],
    ['is cut short in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha', 'ECONNRESET'],
    ['does not come', '', 'ECONNRESET'],
    ['is no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'HPE_'],
    ['has two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx', 'HPE_'],
    ['has endless headers', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, 'HPE_HEADER_OVERFLOW'],
    [
      'changes the protocol',
      'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      'no answer',
    ],
  ])('that %s is a failure worth another attempt', async (_what, bytes, reason) => {
    await using server = await rawServer((write, end) => {
      write(bytes);
      end();
    });
    await expect(call({ url: server.url }, { http: { allow: [server.url] } })).rejects.toMatchObject({
      ...{ code: 'HTTP_UNREACHABLE', exitCode: 69, isPermanent: false },
      message: expect.stringContaining(reason),
    });
  });
});

describe('a service that cannot be reached', () => {
  it('is a failure worth another attempt: nobody listens', async () => {
    const service = await startService(reply(200));
    await service[Symbol.asyncDispose]();
    await expect(call({ url: service.url }, { http: { allow: [service.place] } })).rejects.toMatchObject({
      ...{ code: 'HTTP_UNREACHABLE', isPermanent: false },
      message: `"${service.place}" gave no answer: nobody listens there (ECONNREFUSED).`,
    });
  });

  it('is a failure worth another attempt: its name is not known', async () => {
    const resolveHost = () =>
      Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }));
    const called = call({ url: 'https://gone.invalid/' }, { http: { allow: ['gone.invalid'] }, resolveHost });
    await expect(called).rejects.toMatchObject({
      ...{ code: 'HTTP_UNREACHABLE', isPermanent: false },
      message: '"gone.invalid" gave no answer: its name is not known (ENOTFOUND).',
    });
  });
});

describe('told to stop', () => {
  it('a request ends at once, with what the signal says', async () => {
    const controller = new AbortController();
    await using service = await startService((response) => {
      response.write('half');
      controller.abort(new Error('told to stop'));
    });
    const called = call(
      { url: service.url },
      { http: { allow: [service.place] }, signal: controller.signal },
    );
    await expect(called).rejects.toThrow('told to stop');
  });

  it('before it began, a request is not sent', async () => {
    await using service = await startService(reply(200));
    const signal = AbortSignal.abort(new Error('told to stop'));
    await expect(call({ url: service.url }, { http: { allow: [service.place] }, signal })).rejects.toThrow(
      'told to stop',
    );
    await sleep(20);
    expect(service.received).toHaveLength(0);
  });
});

type Write = (text: string) => void;

/** Says what the test likes, once the request has begun to arrive; the URL is its place too. */
async function rawServer(talk: (write: Write, end: () => void) => (() => void) | void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let stop: (() => void) | void;
    socket.on('error', () => {});
    socket.on('close', () => stop?.());
    socket.once('data', () => {
      stop = talk(
        (text) => void socket.write(text),
        () => void socket.end(),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // TCP: an address with a port
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
