import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { firstHop } from '../../src/http/hop.ts';
import { httpRequestSchema } from '../../src/http/http-request.ts';

const url = 'https://api.example.org/v1';

function problems(payload: unknown): string[] {
  const parsed = v.safeParse(httpRequestSchema, payload);
  return (parsed.issues ?? []).map((issue) => `${v.getDotPath(issue) ?? '(payload)'}: ${issue.message}`);
}

describe('a payload', () => {
  it.each([
    { url },
    { url: 'HTTP://Example.org:8080/%20?q=a+b#part', method: 'HEAD' },
    { url, method: 'GET', expect: [200, '3xx', 404], timeoutMs: 600_000 },
    { url, json: null },
    { url, json: { any: ['thing'] }, headers: { 'X-Trace': 'a b;c', accept: '' } },
    { url, body: '', method: 'DELETE', idempotencyKey: 'order-7/retry', maxResponseBytes: 0 },
  ])('may be %j', (payload) => {
    expect(problems(payload)).toEqual([]);
  });

  it.each([
    [{}, /^url: /],
    [{ url: 7 }, /^url: a string/],
    [{ url: '' }, /^url: a URL of http or https/],
    [{ url: '/v1' }, /^url: a URL of http or https/],
    [{ url: 'ftp://a/' }, /^url: a URL of http or https/],
    [{ url: 'file:///etc/passwd' }, /^url: a URL of http or https/],
    [{ url: `${url}\n/x` }, /^url: a URL has no blanks/],
    [{ url: ` ${url}` }, /^url: a URL has no blanks/],
    [{ url: `ht\ttps://a/` }, /^url: a URL has no blanks/],
    [{ url: `${url}/${'x'.repeat(9000)}` }, /^url: a URL of at most/],
    [{ url: 'https://bob:canary@a/' }, /^url: a URL with a user or password is refused/],
    [{ url: 'https://canary@a/' }, /^url: a URL with a user or password is refused/],
    [{ url, method: 'get' }, /^method: one of GET, HEAD/],
    [{ url, method: 'CONNECT' }, /^method: one of GET, HEAD/],
    [{ url, method: 'GET', json: {} }, /^method: a request with a body/],
    [{ url, method: 'HEAD', body: '' }, /^method: a request with a body/],
    [{ url, json: {}, body: '' }, /^body: only one of json and body/],
    [{ url, headers: { 'X-A': 'a\r\nEvil: 1' } }, /^headers\.X-A: the value contains a line break/],
    [{ url, headers: { 'X-A': 'a\0' } }, /^headers\.X-A: the value contains something else/],
    [{ url, headers: { 'X-A': 'ü' } }, /^headers\.X-A: the value contains something else/],
    [{ url, headers: { 'X-A': ' a' } }, /^headers\.X-A: the value begins or ends with a blank/],
    [{ url, headers: { 'X-A': 7 } }, /^headers\.X-A: a string/],
    [{ url, headers: { 'X A': 'a' } }, /^headers\.X A: this header is not a valid header name/],
    [{ url, headers: { 'X-A:': 'a' } }, /^headers\.X-A:: this header is not a valid header name/],
    [{ url, headers: { 'A\nB': 'a' } }, /this header is not a valid header name/],
    ...['Host', 'content-length', 'Transfer-Encoding', 'CONNECTION', 'Upgrade', 'TE', 'Expect'].map(
      (name) =>
        [{ url, headers: { [name]: 'a' } }, /: this header cannot be set: the connection decides/] as const,
    ),
    [{ url, headers: { 'Idempotency-Key': 'a' } }, /this header cannot be set: it has a field of its own/],
    [{ url, headers: { 'accept-encoding': 'br' } }, /this header cannot be set/],
    [{ url, expect: [] }, /^expect: at least one/],
    [{ url, expect: 200 }, /^expect: /],
    [{ url, expect: [99] }, /^expect\.0: a status from 200/],
    [{ url, expect: [200, '1xx'] }, /^expect\.1: a status from 200/],
    [{ url, timeoutMs: 600_001 }, /^timeoutMs: a whole number from 1 to 600000/],
    [{ url, timeoutMs: 0.5 }, /^timeoutMs: a whole number/],
    [{ url, idempotencyKey: 'a\nb' }, /^idempotencyKey: 1 to 255 visible/],
    [{ url, idempotencyKey: '' }, /^idempotencyKey: 1 to 255 visible/],
    [{ url, maxResponseBytes: -1 }, /^maxResponseBytes: a whole number/],
    [{ url, follow: true }, /^follow: /],
  ] as const)('may not be %j', (payload, expected) => {
    const found = problems(payload);
    expect(found.join('\n')).toMatch(expected);
    expect(found.join('\n')).not.toContain('canary');
  });
});

describe('the request of a payload', () => {
  it.each([
    [{ url }, 'GET', undefined, undefined],
    [{ url, json: { a: 'ü' } }, 'POST', '{"a":"ü"}', 'application/json'],
    [{ url, json: null }, 'POST', 'null', 'application/json'],
    [{ url, body: 'ü' }, 'POST', 'ü', 'text/plain; charset=utf-8'],
    [
      { url, method: 'PUT', body: '<a/>', headers: { 'Content-Type': 'text/xml' } },
      'PUT',
      '<a/>',
      'text/xml',
    ],
    [{ url, method: 'DELETE' }, 'DELETE', undefined, undefined],
  ] as const)('%j', (payload, method, body, type) => {
    const hop = firstHop(v.parse(httpRequestSchema, payload));
    expect(hop.method).toBe(method);
    expect(hop.body?.toString()).toBe(body);
    expect(hop.headers['content-type']).toBe(type);
  });

  it('does not send what stands behind # in the URL', () => {
    expect(firstHop({ url: `${url}?a=1#secret` }).url.href).toBe(`${url}?a=1`);
  });
});
