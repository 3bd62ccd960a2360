import { TendError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { SecretRegistry } from '../redact.ts';
import { findParameters } from './find-parameters.ts';
import { type ConnectionParameters, type LibpqParameter, libpqParameters } from './libpq-parameters.ts';
import { readService } from './service-file.ts';
import type { ConnectionSettings } from './settings.ts';
import { toSettings } from './to-settings.ts';

export interface ResolveConnectionOptions {
  /** `[database]` of the configuration, as written. */
  configured: { url?: string | undefined; from?: string | undefined };
  configPath?: string | undefined;
  /** What a relative path in `from` is relative to. */
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  /** Name of the operating system's user; undefined where it has none. */
  osUser: string | undefined;
  home: string;
  log: Log;
  /** Gets every password that is met, used or not. */
  secrets: SecretRegistry;
}

/** Any of these alone says which database is meant; a password or an sslmode alone does not. */
const telling: readonly LibpqParameter[] = ['service', 'host', 'hostaddr', 'port', 'dbname', 'user'];

/**
 * Answers "which database, how" once, for everything that connects: TEND_DATABASE_URL, else `[database]` of the
 * configuration, else DATABASE_URL; and, as libpq does, the service, the PG* environment, the password file and
 * libpq's defaults fill what that leaves open.
 *
 * @throws TendError DATABASE_NOT_CONFIGURED where nothing says which database is meant; CONNECTION_SETTINGS_INVALID or
 *   CONFIG_INVALID where something says it wrongly.
 */
export async function resolveConnection(options: ResolveConnectionOptions): Promise<ConnectionSettings> {
  const { env, secrets } = options;
  const environment = parametersOfEnvironment(env, secrets);
  const given = await findParameters(options);
  if (given === undefined && !telling.some((name) => environment[name] !== undefined)) throw notConfigured();
  const explicit = given?.parameters ?? {};

  const service = explicit.service ?? environment.service;
  const ofService =
    service === undefined || service === ''
      ? {}
      : readService({
          ...options,
          service,
          serviceFile: explicit.servicefile ?? environment.servicefile,
        });
  return toSettings({
    parameters: { ...environment, ...ofService, ...explicit },
    origin: given?.origin ?? (service === undefined ? 'environment' : `service ${service}`),
    ...options,
  });
}

/** Empty variables count as absent: `PGSSLMODE= tend …` is how a shell unsets one. */
function parametersOfEnvironment(env: NodeJS.ProcessEnv, secrets: SecretRegistry): ConnectionParameters {
  const parameters: ConnectionParameters = {};
  for (const [name, { env: variable }] of Object.entries(libpqParameters)) {
    const value = variable === undefined ? undefined : env[variable];
    if (value === undefined || value === '') continue;
    // The entries of a record have its keys.
    parameters[name as LibpqParameter] = value;
  }
  secrets.add(parameters.password);
  return parameters;
}

function notConfigured(): TendError {
  return new TendError('DATABASE_NOT_CONFIGURED', 'No database is configured.', {
    isPermanent: true,
    hint: 'Set DATABASE_URL, or in tend.toml [database] url = "postgresql://…" or from = "production.ini#app:main".',
  });
}
