import { describe, expect, it } from 'vitest';
import type { Hop } from '../../src/http/hop.ts';
import { nextHop } from '../../src/http/next-hop.ts';

const hop: Hop = {
  url: new URL('https://api.example.org/v1/a?x=1'),
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-api-key': 'k', accept: 'text/plain' },
  body: Buffer.from('{}'),
};

function follow(status: number, location: string | undefined = '/b', given: Partial<Hop> = {}) {
  return nextHop({ hop: { ...hop, ...given }, status, location });
}

describe('the method and body after a redirect', () => {
  it.each([
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [303, 'POST', 'GET'],
    [307, 'POST', 'POST'],
    [308, 'POST', 'POST'],
    [301, 'PUT', 'PUT'],
    [302, 'DELETE', 'DELETE'],
    [303, 'PUT', 'GET'],
    [303, 'DELETE', 'GET'],
    [303, 'HEAD', 'HEAD'],
    [301, 'HEAD', 'HEAD'],
    [303, 'GET', 'GET'],
    [308, 'PATCH', 'PATCH'],
  ] as const)('of status %d to a %s: %s', (status, method, expected) => {
    const next = follow(status, '/b', { method });
    const isSame = method === expected;
    expect(next?.method).toBe(expected);
    expect(next?.body).toBe(isSame ? hop.body : undefined);
    expect(next?.headers['content-type']).toBe(isSame ? 'application/json' : undefined);
  });
});

it.each([200, 204, 300, 304, 305, 400])('status %d is no redirect', (status) => {
  expect(follow(status)).toBeUndefined();
});

it('a redirect that does not say where to is none', () => {
  expect(nextHop({ hop, status: 302, location: undefined })).toBeUndefined();
});

it.each([
  ['/b', 'https://api.example.org/b'],
  ['b', 'https://api.example.org/v1/b'],
  ['?y=2', 'https://api.example.org/v1/a?y=2'],
  ['//other.example/c', 'https://other.example/c'],
  ['http://other.example/', 'http://other.example/'],
])('%s leads to %s', (location, expected) => {
  expect(follow(307, location)?.url.href).toBe(expected);
});

it.each([
  ...['file:///etc/passwd', 'ftp://a/', 'gopher://a/', 'data:text/plain,x', 'javascript:alert(1)'],
  ...['https://user:canary@api.example.org/', 'https://canary@api.example.org/', 'https://', 'http://[::1'],
])('%s is refused, for good, and not quoted', (location) => {
  expect(() => follow(302, location)).toThrow(
    expect.objectContaining({
      code: 'HTTP_REDIRECT_REFUSED',
      isPermanent: true,
      message: expect.not.stringContaining('canary'),
    }),
  );
});

describe('the headers of the payload', () => {
  it.each(['/b', 'https://API.example.org:443/b'])('go along to the same host: %s', (location) => {
    expect(follow(307, location)?.headers).toEqual(hop.headers);
  });

  it.each(['https://other.example/', 'http://api.example.org/', 'https://api.example.org:8443/'])(
    'that may hold a secret do not go to another place: %s',
    (location) => {
      expect(follow(307, location)?.headers).toEqual({
        'content-type': 'application/json',
        accept: 'text/plain',
      });
    },
  );
});
