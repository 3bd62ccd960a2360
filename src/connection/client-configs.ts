import type { ClientConfig } from 'pg';
import type { ConnectionSettings, ServerAddress } from './settings.ts';
import { tlsOptions } from './tls-options.ts';

/**
 * The settings as explicit configurations for node-postgres, to be tried in order; nothing is left to its defaults or
 * to PG* variables. `sslmode` prefer and allow give two for each server, since libpq tries the other way after a
 * failure. `connectClient` is the one that tries them by libpq's rules.
 *
 * @throws TendError CONNECTION_SETTINGS_INVALID where a certificate file cannot be read.
 */
export function toClientConfigs(settings: ConnectionSettings): ClientConfig[] {
  return settings.servers.flatMap((server) => serverConfigs(settings, server));
}

/** The configurations of one server, in the order in which its sslmode wants them tried. */
export function serverConfigs(settings: ConnectionSettings, server: ServerAddress): ClientConfig[] {
  return encryptionOrder(settings, server).map((isEncrypted) => ({
    host: server.address ?? server.host,
    port: server.port,
    database: settings.database,
    user: settings.user,
    password: server.password ?? missingPassword(settings, server),
    ssl: isEncrypted ? tlsOptions(settings, server) : false,
    sslnegotiation: isEncrypted ? (settings.sslNegotiation ?? 'postgres') : 'postgres',
    enableChannelBinding: isEncrypted && settings.channelBinding !== 'disable',
    connectionTimeoutMillis: settings.connectTimeoutMs,
    client_encoding: 'UTF8',
    ...(settings.options === undefined ? {} : { options: settings.options }),
  }));
}

/** libpq ignores sslmode on unix sockets. */
function encryptionOrder({ sslMode }: ConnectionSettings, { host, address }: ServerAddress): boolean[] {
  if ((address ?? host).startsWith('/') || sslMode === 'disable') return [false];
  if (sslMode === 'allow') return [false, true];
  if (sslMode === 'prefer') return [true, false];
  return [true];
}

/** Called only when the server asks for a password; without it node-postgres would look into files of its own. */
function missingPassword({ user, origin }: ConnectionSettings, { host, port }: ServerAddress) {
  return (): Promise<string> =>
    Promise.reject(
      new MissingPasswordError(
        `The server at ${host}:${port} asks for a password of "${user}"; ${origin} has none.`,
      ),
    );
}

/** The server wants a password and the settings have none; libpq says `fe_sendauth: no password supplied`. */
export class MissingPasswordError extends Error {
  override readonly name = 'MissingPasswordError';
}
