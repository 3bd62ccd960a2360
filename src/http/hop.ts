import { type HttpMethod, type HttpRequest, methodOf } from './http-request.ts';

/** One request on the way to the answer: the first, or one that a redirect asked for. */
export interface Hop {
  url: URL;
  method: HttpMethod;
  /** Those of the payload, names in lower case; what the configuration adds is decided place by place. */
  headers: Readonly<Record<string, string>>;
  body: Buffer | undefined;
}

/** The request as the payload asks for it; header names in lower case, so that two of one name are one. */
export function firstHop(request: HttpRequest): Hop {
  const headers = new Map<string, string>();
  if (request.json !== undefined) headers.set('content-type', 'application/json');
  if (request.body !== undefined) headers.set('content-type', 'text/plain; charset=utf-8');
  for (const [name, value] of Object.entries(request.headers ?? {})) headers.set(name.toLowerCase(), value);
  const body = request.json === undefined ? request.body : JSON.stringify(request.json);
  const url = new URL(request.url);
  url.hash = '';
  return {
    ...{ url, method: methodOf(request), headers: Object.fromEntries(headers) },
    body: body === undefined ? undefined : Buffer.from(body),
  };
}
