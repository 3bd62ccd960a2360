import { resolve } from 'node:path';
import { headerValueProblem } from '../config/http-header.ts';
import { type HttpPlace, isSamePlace, parseHttpPlace } from '../config/http-place.ts';
import { type IpNetwork, parseIpNetwork } from '../config/ip-network.ts';
import { resolveReference } from '../config/resolve-reference.ts';
import type { Config } from '../config/schema.ts';
import { TendError } from '../errors.ts';
import type { SecretRegistry } from '../redact.ts';
import { headerSecrets } from './header-secrets.ts';

export interface HttpSettings {
  allow: readonly HttpPlace[];
  allowPrivate: readonly IpNetwork[];
  timeoutMs: number;
  /** Absolute: a PEM file with more authorities than the usual ones. */
  caFile: string | undefined;
  /**
   * The headers of `[http.headers]` for one place, names in lower case; their secrets are registered before anything can
   * quote them. Read at every call, so that a variable that is not set concerns the requests that need it.
   *
   * @throws TendError CONFIG_INVALID for a variable that is not set, or that holds no header.
   */
  headersFor(place: HttpPlace): Record<string, string>;
}

export interface FindHttpSettingsOptions {
  config: Config;
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
}

/** The `[http]` section as this process uses it. */
export function findHttpSettings({
  config,
  baseDirectory,
  env,
  secrets,
}: FindHttpSettingsOptions): HttpSettings {
  const { http } = config;
  return {
    allow: http.allow.map(parseHttpPlace).filter((place) => place !== undefined),
    allowPrivate: http.allow_private.map(parseIpNetwork).filter((network) => network !== undefined),
    timeoutMs: http.timeout,
    caFile: http.tls_ca_file === undefined ? undefined : resolve(baseDirectory, http.tls_ca_file),
    headersFor(place) {
      const headers: Record<string, string> = {};
      for (const [host, given] of Object.entries(http.headers)) {
        const owner = parseHttpPlace(host);
        if (owner === undefined || !isSamePlace(place, owner)) continue;
        for (const [name, value] of Object.entries(given)) {
          headers[name.toLowerCase()] = readHeader({
            key: `http.headers."${host}".${name}`,
            name,
            value,
            env,
            secrets,
          });
        }
      }
      return headers;
    },
  };
}

function readHeader({
  key,
  name,
  value,
  env,
  secrets,
}: { key: string; name: string; value: string } & Pick<FindHttpSettingsOptions, 'env' | 'secrets'>): string {
  const text = resolveReference({ value, key, env, secrets });
  for (const secret of headerSecrets(name, text)) secrets.add(secret);
  const problem = headerValueProblem(text);
  if (problem === undefined) return text;
  throw new TendError('CONFIG_INVALID', `The setting ${key} cannot be sent as a header: it ${problem}.`, {
    hint: 'A file that was read into a variable often ends with a line break.',
  });
}
