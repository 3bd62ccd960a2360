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
  if (configured.url !== undefined) return parse(...configuredUrl(configured.url, section, env));
  if (configured.from !== undefined) {
    const { readApplicationSettings } = await import('../config/readers/read-application-settings.ts');
    const found = await readApplicationSettings({ ...options, reference: configured.from, section });
    return 'url' in found ? parse(found.url, found.origin) : found;
  }
  return env.DATABASE_URL ? parse(env.DATABASE_URL, 'DATABASE_URL') : undefined;
}

/** `env:NAME` is read here and not earlier, so that a command without a database needs no such variable. */
function configuredUrl(url: string, section: string, env: NodeJS.ProcessEnv): [text: string, origin: string] {
  const name = /^env:(.*)$/.exec(url)?.[1];
  if (name === undefined) return [url, `${section} url`];
  const value = env[name];
  if (value !== undefined && value !== '') return [value, `${section} url (env:${name})`];
  throw new TendError(
    'CONNECTION_SETTINGS_INVALID',
    `${section} url = "env:${name}" cannot be read: the environment variable ${name} is not set.`,
    { isPermanent: true, hint: `Set it where tend is started (crontab, unit file): ${name}=postgresql://…` },
  );
}
