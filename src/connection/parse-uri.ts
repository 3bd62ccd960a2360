import type { SecretRegistry } from '../redact.ts';
import { invalidSettings } from './invalid-settings.ts';
import type { ConnectionParameters } from './libpq-parameters.ts';
import { storeParameter } from './store-parameter.ts';

export interface UriText {
  /** What follows `scheme://`. */
  rest: string;
  origin: string;
  secrets: SecretRegistry;
  /** The scheme names a driver (`postgresql+psycopg2`), so SQLAlchemy's `?host=a:5432&host=b:5432` is meant. */
  hasDriverName: boolean;
}

const encodeHint =
  'Characters such as @ : / ? # % in a user name or password must be percent-encoded: @ is %40.';

/**
 * Reads `user:password@host:port,host2:port2/database?key=value` as conninfo_uri_parse_options of libpq's
 * fe-connect.c does. Messages never quote the URL: a wrongly encoded password can stand anywhere in it.
 */
export function parseUri(uri: UriText): ConnectionParameters {
  const { rest, origin, secrets } = uri;
  registerPossiblePasswords(rest, secrets);
  const parameters: ConnectionParameters = {};
  const store = (name: string, value: string) =>
    storeParameter({ parameters, name, value, origin, secrets, allowForeign: true });
  const at = /^[^@/]*@/.exec(rest)?.[0];
  if (at !== undefined) storeUser(at.slice(0, -1), origin, store);

  const afterUser = rest.slice(at?.length ?? 0);
  const authority = /^(?:\[[^\]]*\]?|[^[/?])*/.exec(afterUser)?.[0] ?? '';
  storeServers(authority, origin, store);

  const [, path, query] = /^(?:\/([^?]*))?(?:\?([\s\S]*))?$/.exec(afterUser.slice(authority.length)) ?? [];
  if (path !== undefined && path !== '') store('dbname', decode(path, 'the database name', origin));
  if (query !== undefined) storeQuery(query, uri, store);
  return parameters;
}

type Store = (name: string, value: string) => void;

function storeUser(text: string, origin: string, store: Store): void {
  const [, user = '', password] = /^([^:]*)(?::([\s\S]*))?$/.exec(text) ?? [];
  if (password !== undefined && password !== '') store('password', decode(password, 'the password', origin));
  if (user !== '') store('user', decode(user, 'the user name', origin));
}

function storeServers(authority: string, origin: string, store: Store): void {
  if (authority.includes('@')) throw invalidSettings(origin, 'it has more than one "@"', encodeHint);
  const servers = authority.split(',').map((server) => {
    const match = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::([0-9]*))?$/.exec(server);
    if (match !== null) return { host: match[1] ?? match[2] ?? '', port: match[3] ?? '' };
    throw invalidSettings(
      origin,
      'the part between "//" (or "@") and "/" is not HOST, HOST:PORT or [IPV6]:PORT, separated by commas',
      encodeHint,
    );
  });
  const hosts = servers.map(({ host }) => host).join(',');
  const ports = servers.map(({ port }) => port).join(',');
  if (hosts !== '') store('host', decode(hosts, 'the host', origin));
  if (ports !== '') store('port', ports);
}

function storeQuery(query: string, { origin, hasDriverName }: UriText, store: Store): void {
  const hosts: string[] = [];
  const pairs = query.split('&');
  if (pairs.at(-1) === '') pairs.pop();
  for (const pair of pairs) {
    const parts = pair.split('=');
    const [rawName, rawValue] = parts;
    if (rawName === undefined || rawValue === undefined || parts.length > 2) {
      throw invalidSettings(origin, 'after "?" exactly one "=" was expected in each parameter', encodeHint);
    }
    const name = decode(rawName, 'the name of a parameter', origin);
    const value = decode(rawValue, `the parameter "${name}"`, origin);
    if (name === 'host') hosts.push(value);
    else store(name, value);
  }
  if (hosts.length > 0) storeHosts(hosts, hasDriverName, store);
}

/** For libpq the last `host` counts; SQLAlchemy gives one `host=NAME:PORT` for each server. */
function storeHosts(hosts: string[], hasDriverName: boolean, store: Store): void {
  const withPorts = hosts.map((host) => /^([^/:,]+):(\d+)$/.exec(host));
  if (hasDriverName && (hosts.length > 1 || withPorts[0])) {
    store('host', hosts.map((host, index) => withPorts[index]?.[1] ?? host).join(','));
    const ports = withPorts.map((match) => match?.[2] ?? '');
    if (ports.some((port) => port !== '')) store('port', ports.join(','));
    return;
  }
  store('host', hosts.at(-1) ?? '');
}

/** Percent-decoding by libpq's rules: bytes are UTF-8, `%00` is forbidden, `+` is a plus. */
function decode(text: string, what: string, origin: string): string {
  if (!/%00/.test(text)) {
    try {
      return decodeURIComponent(text);
    } catch {
      // falls through to the one message
    }
  }
  throw invalidSettings(origin, `${what} is not percent-encoded as it should be`, encodeHint);
}

/**
 * Whatever could be the password, however wrongly encoded, becomes a secret before anything can fail: from the first
 * colon to every later `@`.
 */
function registerPossiblePasswords(rest: string, secrets: SecretRegistry): void {
  const colon = rest.indexOf(':');
  if (colon === -1) return;
  for (let at = rest.indexOf('@', colon); at !== -1; at = rest.indexOf('@', at + 1)) {
    secrets.add(rest.slice(colon + 1, at));
  }
}
