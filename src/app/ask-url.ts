import type { Answer } from './check-app.ts';

export interface AskUrlOptions {
  url: string;
  status: number;
  contains?: string | undefined;
  timeoutMs: number;
  signal: AbortSignal;
}

/** How much of a page is searched for `contains`: a health page is short, and nothing may fill the memory. */
const searchedBytes = 1024 * 1024;

/**
 * Asks once over HTTP. Redirects are not followed: a redirect to the login page is not the page that was asked for.
 * The connection is closed after each answer, so that none to a worker that is about to stop is used again.
 * A user and password in the URL become an `Authorization` header and appear in no answer.
 */
export async function askUrl(options: AskUrlOptions): Promise<Answer> {
  const { status, contains, timeoutMs, signal } = options;
  const { url, shown, authorization } = parseUrl(options.url);
  if (url === undefined) return `"${shown}" is not a http(s) URL`;
  const timeout = AbortSignal.timeout(Math.ceil(timeoutMs)); // a fraction of a millisecond would be a RangeError
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { connection: 'close', 'user-agent': 'tend', ...authorization },
      signal: AbortSignal.any([signal, timeout]),
    });
    if (response.status !== status) {
      await response.body?.cancel();
      const to = response.headers.get('location');
      return `${shown} answered ${response.status}${to === null ? '' : ` (to ${to})`}, ${status} was expected`;
    }
    if (contains === undefined) {
      await response.body?.cancel();
      return undefined;
    }
    return (await startOfBody(response)).includes(contains)
      ? undefined
      : `${shown} does not contain "${contains}"`;
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) return `${shown} gave no answer within ${Math.round(timeoutMs)} ms`;
    return `${shown} cannot be reached: ${reasonOf(error)}`;
  }
}

function parseUrl(text: string): { url?: URL; shown: string; authorization: Record<string, string> } {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return { shown: text.replace(/\/\/[^/]*@/, '//***@'), authorization: {} };
  }
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization: Record<string, string> =
    username === '' && password === ''
      ? {}
      : { authorization: `Basic ${Buffer.from(login, 'utf8').toString('base64')}` };
  return { url, shown: `${url.origin}${url.pathname}`, authorization };
}

async function startOfBody(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    bytes += part.byteLength;
    if (bytes >= searchedBytes) break;
  }
  return Buffer.concat(parts).toString('utf8');
}

/** fetch says only "fetch failed": what happened is in the cause, of several addresses in the first of its errors. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}
