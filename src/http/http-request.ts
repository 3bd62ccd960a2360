import * as v from 'valibot';
import { headerNameProblem, headerValueProblem } from '../config/http-header.ts';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type HttpMethod = (typeof methods)[number];

/** The limit of kind `http`: no request may be given longer. */
const longestTimeoutMs = 600_000;

function integer(low: number, high: number) {
  const message = `a whole number from ${low} to ${high} was expected`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(low, message), v.maxValue(high, message));
}

const url = v.pipe(
  v.string('a string was expected'),
  v.rawCheck(({ dataset, addIssue }) => {
    const message = dataset.typed ? urlProblem(dataset.value) : undefined;
    if (message !== undefined) addIssue({ message });
  }),
);

/** Why a request cannot go to `text`, or undefined. The URL itself is not quoted: it may hold a password. */
export function urlProblem(text: string): string | undefined {
  // URL parsers remove line breaks and tabs without a word: what is checked would not be what was written.
  if (/[\s\p{Cc}]/u.test(text)) return 'a URL has no blanks and no line breaks';
  if (text.length > 8000) return 'a URL of at most 8000 characters was expected';
  const parsed = URL.parse(text);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return 'a URL of http or https was expected';
  if (parsed.username === '' && parsed.password === '') return undefined;
  return 'a URL with a user or password is refused: set the header in tend.toml, [http.headers."HOST"]';
}

const headers = v.record(
  v.pipe(
    v.string(),
    v.check(
      (name) => headerNameProblem(name) === undefined,
      ({ input }) => `this header ${headerNameProblem(input)}`,
    ),
  ),
  v.pipe(
    v.string('a string was expected'),
    v.check(
      (value) => headerValueProblem(value) === undefined,
      ({ input }) => `the value ${headerValueProblem(input)}`,
    ),
  ),
);

const statusMessage = 'a status from 200 to 599, or a class of them such as "2xx", was expected';

/** A status, or a class of them. */
const status = v.pipe(
  v.union([v.number(), v.string()], statusMessage),
  v.check((value) => /^([2-5]\d\d|[2-5]xx)$/.test(String(value)), statusMessage),
);

/** The payload of kind `http`. */
export const httpRequestSchema = v.pipe(
  v.strictObject({
    url,
    /** GET unless given; POST with a body. */
    method: v.optional(v.picklist(methods, `one of ${methods.join(', ')} was expected`)),
    /** Besides those of `[http.headers]`, which it cannot replace. */
    headers: v.optional(headers),
    /** The body, as JSON. */
    json: v.optional(v.unknown()),
    /** The body, as text. */
    body: v.optional(v.string('a string was expected')),
    /** What counts as success; `["2xx"]` unless given. */
    expect: v.optional(v.pipe(v.array(status), v.minLength(1, 'at least one status was expected'))),
    /** For the whole exchange, redirects included; `[http] timeout` unless given. */
    timeoutMs: v.optional(integer(1, longestTimeoutMs)),
    /** Under which the service knows all attempts as one; one of the task's own unless given. */
    idempotencyKey: v.optional(
      v.pipe(
        v.string('a string was expected'),
        v.regex(/^[\x21-\x7e]{1,255}$/, '1 to 255 visible ASCII characters were expected'),
      ),
    ),
    /** A longer answer fails; any length is read, and its end kept, unless given. */
    maxResponseBytes: v.optional(integer(0, Number.MAX_SAFE_INTEGER)),
  }),
  v.forward(
    v.check(
      ({ json, body }) => json === undefined || body === undefined,
      'only one of json and body can be sent',
    ),
    ['body'],
  ),
  v.forward(
    v.check(
      ({ method, json, body }) =>
        (method !== 'GET' && method !== 'HEAD') || (json === undefined && body === undefined),
      'a request with a body is a POST, PUT, PATCH or DELETE',
    ),
    ['method'],
  ),
);

export type HttpRequest = v.InferOutput<typeof httpRequestSchema>;

/** GET, or POST where a body is sent. */
export function methodOf({ method, json, body }: HttpRequest): HttpMethod {
  return method ?? (json === undefined && body === undefined ? 'GET' : 'POST');
}

/** Whether doing it twice may be more than doing it once (RFC 9110 §9.2.1); PUT and DELETE carry a key all the same. */
export function isSafe(method: HttpMethod): boolean {
  return method === 'GET' || method === 'HEAD';
}
