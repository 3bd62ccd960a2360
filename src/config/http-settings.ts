import * as v from 'valibot';
import { headerNameProblem, headerValueProblem } from './http-header.ts';
import { parseHttpPlace } from './http-place.ts';
import { parseIpNetwork } from './ip-network.ts';

const text = v.pipe(v.string('a string was expected'), v.nonEmpty('an empty string is not allowed'));

/** An entry of `[http] allow`. */
export const httpPlace = v.pipe(
  text,
  v.check(
    (value) => parseHttpPlace(value) !== undefined,
    'a host such as "api.example.org", "*.example.org", "host:8443" or "http://host:8080" was expected',
  ),
);

/** An entry of `[http] allow_private`. */
export const ipNetwork = v.pipe(
  text,
  v.check(
    (value) => parseIpNetwork(value) !== undefined,
    'an address such as "127.0.0.1" or a network such as "10.1.2.0/24" was expected',
  ),
);

const onePlace = v.pipe(
  httpPlace,
  v.check(
    (value) => parseHttpPlace(value)?.isWildcard !== true,
    'headers belong to one host: a wildcard is not allowed here',
  ),
);

const headerName = v.pipe(
  v.string(),
  v.check(
    (name) => headerNameProblem(name) === undefined,
    ({ input }) => `this header ${headerNameProblem(input)}`,
  ),
);

const headerValue = v.pipe(
  text,
  v.check(
    (value) => headerValueProblem(value) === undefined,
    ({ input }) => `the value ${headerValueProblem(input)}`,
  ),
);

/** `[http.headers."host"]`: what is sent to that host and no other, values as they are or `env:NAME`. */
export const httpHeaders = v.record(
  onePlace,
  v.pipe(
    v.record(headerName, headerValue),
    v.check(
      (headers) =>
        new Set(Object.keys(headers).map((name) => name.toLowerCase())).size === Object.keys(headers).length,
      'a header stands here twice: their case makes no difference',
    ),
  ),
);
