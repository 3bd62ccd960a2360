/** What libpq calls sslmode, with libpq's meaning: `require` encrypts without checking the certificate. */
export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

export type TargetSessionAttrs =
  | 'any'
  | 'read-write'
  | 'read-only'
  | 'primary'
  | 'standby'
  | 'prefer-standby';

/** One server to try. `host` is a name, an address, or (absolute path) the directory of a unix socket. */
export interface ServerAddress {
  host: string;
  /** `hostaddr`: connect here, while `host` stays the name that certificates and pgpass are checked against. */
  address?: string;
  port: number;
  /** Already looked up for this host in the URL, the environment or the pgpass file. */
  password?: string;
}

/**
 * The one resolved answer to "which database, how": given as explicit fields to node-postgres and as explicit `PG*`
 * variables to libpq's tools, which disagree about almost every default. Nothing in it is left to either.
 */
export interface ConnectionSettings {
  /** Tried in order; the first that answers and fits `targetSessionAttrs` wins. */
  servers: [ServerAddress, ...ServerAddress[]];
  database: string;
  user: string;
  sslMode: SslMode;
  /** Set where TLS starts without asking the server first (PostgreSQL 17 and newer). */
  sslNegotiation?: 'direct';
  /** libpq's default is `prefer`. */
  channelBinding?: 'disable' | 'prefer' | 'require';
  /** Files as libpq reads them; undefined where libpq's default file does not exist. */
  sslRootCert?: string;
  sslCert?: string;
  sslKey?: string;
  sslCrl?: string;
  /** The password file that was read; libpq needs it again where the servers' passwords differ. */
  passFile?: string;
  /** Command-line options for the session: `-c search_path=cms`. */
  options?: string;
  targetSessionAttrs: TargetSessionAttrs;
  connectTimeoutMs: number;
  /** Where the settings came from, for people: `tend.toml [database] url`, `environment`, `.env#DATABASE_URL`. */
  origin: string;
}

/** `host:port/database` of the first server, without user or password: for messages. */
export function describeConnection(settings: ConnectionSettings): string {
  const places = settings.servers.map(({ host, port }) =>
    host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : `${host.includes(':') ? `[${host}]` : host}:${port}`,
  );
  return `"${settings.database}" at ${places.join(', ')}`;
}
