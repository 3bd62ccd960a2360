import { TendError } from '../errors.ts';
import { version } from '../version.ts';
import type { Hop } from './hop.ts';
import { isSafe } from './http-request.ts';

export interface RequestHeadersOptions {
  hop: Hop;
  /** What the configuration sets for this place; wins over everything. */
  configured: Readonly<Record<string, string>>;
  idempotencyKey: string | null;
  /** A redirect may lead the payload's headers to where the configuration sets them: that is nobody's mistake. */
  isFirst: boolean;
}

/**
 * The headers of one request, names in lower case.
 *
 * @throws TendError PAYLOAD_INVALID, permanent, where the payload would replace a header of the configuration.
 */
export function requestHeaders(options: RequestHeadersOptions): Record<string, string> {
  const { hop, configured, idempotencyKey, isFirst } = options;
  const taken = Object.keys(hop.headers).find((name) => Object.hasOwn(configured, name));
  if (isFirst && taken !== undefined) {
    throw new TendError(
      'PAYLOAD_INVALID',
      `The payload does not fit kind "http": headers.${taken}: [http.headers] of tend.toml sets this header.`,
      { isPermanent: true },
    );
  }
  return {
    accept: '*/*',
    'user-agent': `tend/${version}`,
    ...hop.headers,
    ...configured,
    'accept-encoding': 'identity',
    ...(idempotencyKey !== null && !isSafe(hop.method) && { 'idempotency-key': idempotencyKey }),
  };
}
