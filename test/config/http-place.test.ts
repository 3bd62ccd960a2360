import { describe, expect, it } from 'vitest';
import { isSamePlace, parseHttpPlace, placeOf, writeHttpPlace } from '../../src/config/http-place.ts';

function allows(entry: string, url: string): boolean {
  const place = parseHttpPlace(entry);
  if (place === undefined) throw new Error(`"${entry}" is no place`);
  return isSamePlace(placeOf(new URL(url)), place);
}

describe('an entry of [http] allow', () => {
  it.each([
    ['api.example.org', 'https://api.example.org/v1?x=1'],
    ['api.example.org', 'https://API.Example.ORG:443/'],
    ['https://api.example.org', 'https://api.example.org/'],
    ['hooks.example.net:8443', 'https://hooks.example.net:8443/'],
    ['http://intranet', 'http://intranet/'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/'],
    ['http://127.0.0.1', 'http://0x7f.1/'],
    ['[2001:db8::1]:8443', 'https://[2001:DB8:0::1]:8443/'],
    ['*.partner.example', 'https://a.partner.example/'],
    ['*.partner.example', 'https://a.b.partner.example/'],
    ['http://*.partner.example:81', 'http://a.partner.example:81/'],
    ['müller.example', 'https://xn--mller-kva.example/'],
    ['xn--mller-kva.example', 'https://MÜLLER.example/'],
  ])('%s means %s', (entry, url) => {
    expect(allows(entry, url)).toBe(true);
  });

  it.each([
    ['api.example.org', 'http://api.example.org/'],
    ['api.example.org', 'http://api.example.org:443/'],
    ['api.example.org', 'https://api.example.org:8443/'],
    ['api.example.org', 'https://api.example.org.evil.example/'],
    ['api.example.org', 'https://evil.example/api.example.org'],
    ['api.example.org', 'https://api.example.org@evil.example/'],
    ['api.example.org', 'https://evil.example\\@api.example.org/'],
    ['api.example.org', 'https://xapi.example.org/'],
    ['api.example.org', 'https://api.example.org./'],
    ['http://intranet', 'https://intranet/'],
    ['hooks.example.net:8443', 'https://hooks.example.net/'],
    ['*.partner.example', 'https://partner.example/'],
    ['*.partner.example', 'https://xpartner.example/'],
    ['*.partner.example', 'http://a.partner.example/'],
    ['*.partner.example', 'https://a.partner.example:444/'],
    ['*.0.example', 'https://127.0.0.1/'],
  ])('%s does not mean %s', (entry, url) => {
    expect(allows(entry, url)).toBe(false);
  });

  it.each([
    ...['', '*', '*.', '*.org', '*.1.2', '*.127.0.0.1', '*.*.example.org', 'a.*.example.org', 'a b', 'a\nb'],
    ...[
      'https://a/',
      'a/b',
      'user@a',
      'a?b',
      'a#b',
      'a\\b',
      'a%2eb',
      'ftp://a',
      '//a',
      'a:0',
      'a:99999',
      '[::1',
      '::1',
    ],
  ])('cannot be %j', (entry) => {
    expect(parseHttpPlace(entry)).toBeUndefined();
  });
});

it.each(['api.example.org', 'a.example:8443', 'http://a.example', 'http://[::1]:8080', 'a.example:80'])(
  'a place is written as it would be listed: %s',
  (text) => {
    const place = parseHttpPlace(text);
    expect(place && writeHttpPlace(place)).toBe(text);
  },
);
