import type { IncomingMessage } from 'node:http';
import { placeOf, writeHttpPlace } from '../config/http-place.ts';
import { formatDuration } from '../duration.ts';
import { TendError } from '../errors.ts';
import { isExpected } from './expected-status.ts';
import { firstHop, type Hop } from './hop.ts';
import type { HttpRequest } from './http-request.ts';
import type { HttpSettings } from './http-settings.ts';
import { networkError } from './network-error.ts';
import { nextHop } from './next-hop.ts';
import { openResponse } from './open-response.ts';
import { permittedAddresses, type ResolveHost } from './permitted-addresses.ts';
import { type ReadBody, readBody } from './read-body.ts';
import { requestHeaders } from './request-headers.ts';
import { requireAllowed } from './require-allowed.ts';

export interface CallServiceOptions {
  request: HttpRequest;
  /** Sent with everything but GET and HEAD, to every host of a chain of redirects. */
  idempotencyKey: string | null;
  settings: HttpSettings;
  resolveHost: ResolveHost;
  signal: AbortSignal;
}

/** A complete answer, whatever its status. */
export interface ServiceAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  body: ReadBody;
  /** The one that the answer came from. */
  url: URL;
  redirects: { status: number; url: string }[];
}

const mostRedirects = 5;

/**
 * Sends a request, follows its redirects and reads the answer, all within one time limit. Every place on the way must be
 * allowed, and every address: nothing leaves for another one.
 *
 * @throws TendError HTTP_NOT_ALLOWED, HTTP_ADDRESS_REFUSED, HTTP_REDIRECT_REFUSED, HTTP_RESPONSE_TOO_LARGE (permanent);
 *   HTTP_UNREACHABLE, HTTP_CERTIFICATE_INVALID, HTTP_TIMED_OUT.
 */
export async function callService(options: CallServiceOptions): Promise<ServiceAnswer> {
  const { request, settings, signal } = options;
  const timeoutMs = request.timeoutMs ?? settings.timeoutMs;
  const deadline = AbortSignal.timeout(timeoutMs);
  const first = firstHop(request);
  let hop = first;
  const redirects: ServiceAnswer['redirects'] = [];
  try {
    for (;;) {
      const response = await answerTo(
        hop,
        { ...options, signal: AbortSignal.any([signal, deadline]) },
        redirects,
      );
      const status = response.statusCode ?? 0;
      const { location } = response.headers;
      const next = isExpected(status, request.expect) ? undefined : nextHop({ hop, status, location });
      if (next === undefined) {
        const body = await readBody(response, request.maxResponseBytes);
        return { status, headers: response.headers, body, url: hop.url, redirects };
      }
      response.destroy();
      if (redirects.length === mostRedirects) throw tooManyRedirects(first.url);
      redirects.push({ status, url: next.url.href });
      hop = next;
    }
  } catch (error) {
    if (error instanceof TendError) throw error;
    signal.throwIfAborted();
    const place = writeHttpPlace(placeOf(hop.url));
    throw deadline.aborted ? timedOut(place, timeoutMs) : networkError(place, error);
  }
}

async function answerTo(
  hop: Hop,
  options: CallServiceOptions,
  redirects: ServiceAnswer['redirects'],
): Promise<IncomingMessage> {
  const { idempotencyKey, settings, resolveHost, signal } = options;
  const { allow, allowPrivate, caFile } = settings;
  const subject = redirects.length === 0 ? 'The request' : 'The redirect';
  requireAllowed({ url: hop.url, allow, subject });
  const headers = requestHeaders({
    hop,
    configured: settings.headersFor(placeOf(hop.url)),
    idempotencyKey,
    isFirst: redirects.length === 0,
  });
  const addresses = await permittedAddresses({ url: hop.url, resolveHost, allowPrivate, signal });
  return await openResponse({ hop, headers, addresses, caFile, signal });
}

function tooManyRedirects(url: URL): TendError {
  return new TendError(
    'HTTP_REDIRECT_REFUSED',
    `"${writeHttpPlace(placeOf(url))}" redirects more than ${mostRedirects} times.`,
    { isPermanent: true },
  );
}

function timedOut(place: string, timeoutMs: number): TendError {
  return new TendError(
    'HTTP_TIMED_OUT',
    `"${place}" did not answer completely within ${formatDuration(timeoutMs)}.`,
    { hint: 'Give it longer: "timeoutMs" of the payload, or [http] timeout in tend.toml.' },
  );
}
