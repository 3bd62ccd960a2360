import { resolveReference } from '../config/resolve-reference.ts';
import { TendError } from '../errors.ts';
import type { ConnectionParameters } from './libpq-parameters.ts';
import { parseConnectionString } from './parse-connection-string.ts';
import type { ResolveConnectionOptions } from './resolve-connection.ts';

export interface GivenParameters {
  parameters: ConnectionParameters;
  origin: string;
}

/** What was said explicitly, from the first place that says something; undefined where nothing does. */
export async function findParameters(
  options: ResolveConnectionOptions,
): Promise<GivenParameters | undefined> {
  const { configured, configPath, env, secrets } = options;
  const parse = (text: string, origin: string): GivenParameters => ({
    parameters: parseConnectionString({ text, origin, secrets }),
    origin,
  });
  if (env.TEND_DATABASE_URL) return parse(env.TEND_DATABASE_URL, 'TEND_DATABASE_URL');

  const section = `${configPath ?? 'tend.toml'} [database]`;
  if (configured.url !== undefined && configured.from !== undefined) {
    throw new TendError(
      'CONFIG_INVALID',
      `${section} has both "url" and "from": only one of them can count.`,
      {
        isPermanent: true,
      },
    );
  }
  if (configured.url !== undefined) {
    // Read here and not earlier, so that a command without a database needs no such variable.
    const text = resolveReference({ value: configured.url, key: 'database.url', env, secrets });
    return parse(text, text === configured.url ? `${section} url` : `${section} url (${configured.url})`);
  }
  if (configured.from !== undefined) {
    const { readApplicationSettings } = await import('../config/readers/read-application-settings.ts');
    const found = await readApplicationSettings({ ...options, reference: configured.from, section });
    return 'url' in found ? parse(found.url, found.origin) : found;
  }
  return env.DATABASE_URL ? parse(env.DATABASE_URL, 'DATABASE_URL') : undefined;
}
