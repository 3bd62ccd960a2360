import { isIP } from 'node:net';

/** Where a request may go: one scheme, host and port. */
export interface HttpPlace {
  protocol: 'http:' | 'https:';
  /** As `URL` writes it: lower case, internationalised names in ASCII, IPv6 in brackets. */
  hostname: string;
  port: number;
  /** `*.example.org`: every name below the host, at any depth, and not the host itself. */
  isWildcard: boolean;
}

const notation = /^(https?:\/\/)?(\*\.)?(\[[0-9a-f:.]+\]|[^\s/\\?#@:[\]*%]+)(:\d{1,5})?$/i;
const defaultPorts = { 'http:': 80, 'https:': 443 };

/**
 * Reads an entry of `[http] allow`: `api.example.org`, `*.example.org`, `hooks.example.net:8443`, `[2001:db8::1]`; https
 * unless `http://` is written out. A wildcard needs two labels behind it: `*.org` would be half the world.
 */
export function parseHttpPlace(text: string): HttpPlace | undefined {
  const [entry, scheme = 'https://', wildcard, host = '', port = ''] = notation.exec(text) ?? [];
  const url = entry === undefined ? null : URL.parse(`${scheme}${host}${port}/`);
  if (url === null || url.port === '0') return undefined;
  const place = placeOf(url);
  if (wildcard === undefined) return place;
  const isDomain = isIP(url.hostname) === 0 && /^[^.[]+(\.[^.]+)+$/.test(url.hostname);
  return isDomain ? { ...place, isWildcard: true } : undefined;
}

/** The place a URL leads to. The URL must be one of http or https. */
export function placeOf(url: URL): HttpPlace {
  const protocol = url.protocol === 'http:' ? 'http:' : 'https:';
  const port = url.port === '' ? defaultPorts[protocol] : Number(url.port);
  return { protocol, hostname: url.hostname, port, isWildcard: false };
}

/** Whether `place`, which has no wildcard, is meant by an entry, which may have one. */
export function isSamePlace(place: HttpPlace, entry: HttpPlace): boolean {
  if (place.protocol !== entry.protocol || place.port !== entry.port) return false;
  if (!entry.isWildcard) return place.hostname === entry.hostname;
  return isIP(place.hostname) === 0 && place.hostname.endsWith(`.${entry.hostname}`);
}

/** A place as `[http] allow` would name it. */
export function writeHttpPlace({ protocol, hostname, port }: HttpPlace): string {
  const scheme = protocol === 'http:' ? 'http://' : '';
  return `${scheme}${hostname}${port === defaultPorts[protocol] ? '' : `:${port}`}`;
}
