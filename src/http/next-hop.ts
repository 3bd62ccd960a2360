import { isSamePlace, placeOf, writeHttpPlace } from '../config/http-place.ts';
import { TendError } from '../errors.ts';
import { isSecretHeader } from './header-secrets.ts';
import type { Hop } from './hop.ts';
import { urlProblem } from './http-request.ts';

const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * Where a redirect leads, or undefined where the answer is none. As browsers do (fetch standard, "HTTP-redirect
 * fetch"): 303 becomes a GET without a body, 301 and 302 do that to a POST alone, 307 and 308 repeat the request as it
 * was. To another host goes no header that may say who we are.
 *
 * @throws TendError HTTP_REDIRECT_REFUSED, permanent, for a place that no request could name.
 */
export function nextHop(options: {
  hop: Hop;
  status: number;
  location: string | undefined;
}): Hop | undefined {
  const { hop, status, location } = options;
  if (!redirects.has(status) || location === undefined) return undefined;
  const url = targetOf(hop.url, location);
  const headers = isSamePlace(placeOf(url), placeOf(hop.url)) ? hop.headers : withoutSecrets(hop.headers);
  const becomesGet =
    (status === 303 && hop.method !== 'HEAD' && hop.method !== 'GET') ||
    (status < 303 && hop.method === 'POST');
  if (!becomesGet) return { ...hop, url, headers };
  return { url, method: 'GET', headers: withoutContent(headers), body: undefined };
}

function targetOf(from: URL, location: string): URL {
  const url = URL.parse(location, from.href);
  const problem = url === null ? 'it is no URL' : urlProblem(url.href);
  if (url !== null && problem === undefined) return url;
  throw new TendError(
    'HTTP_REDIRECT_REFUSED',
    `"${writeHttpPlace(placeOf(from))}" redirects to where no request goes: ${problem}.`,
    { isPermanent: true },
  );
}

function withoutSecrets(headers: Hop['headers']): Hop['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isSecretHeader(name)));
}

function withoutContent(headers: Hop['headers']): Hop['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('content-')));
}
