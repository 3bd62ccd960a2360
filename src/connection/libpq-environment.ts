import type { ConnectionSettings, ServerAddress } from './settings.ts';

export interface LibpqEnvironmentOptions {
  /** Another database of the same server: the maintenance database, a restored copy. */
  database?: string;
}

/** A path that cannot exist anywhere, so that libpq finds no file there and does not complain of its kind either. */
const noSuchFile = '/dev/null/none';

/**
 * The settings as PG* variables, for `psql`, `pg_dump` and `pg_restore`: to be added to an environment without PG*
 * variables of its own. Nothing is left to a service file, a password file or a default, so the tool lands where
 * node-postgres does. The password is here and nowhere else.
 */
export function toLibpqEnvironment(
  settings: ConnectionSettings,
  options: LibpqEnvironmentOptions = {},
): Record<string, string> {
  const { servers } = settings;
  return defined({
    PGHOST: servers.map(({ host }) => host).join(','),
    PGHOSTADDR: servers.some(({ address }) => address !== undefined)
      ? servers.map(({ address }) => address ?? '').join(',')
      : undefined,
    PGPORT: servers.map(({ port }) => port).join(','),
    PGDATABASE: options.database ?? settings.database,
    PGUSER: settings.user,
    ...passwordVariables(settings),
    PGSSLMODE: settings.sslMode,
    PGSSLNEGOTIATION: settings.sslNegotiation,
    PGSSLROOTCERT: settings.sslRootCert,
    PGSSLCERT: settings.sslCert,
    PGSSLKEY: settings.sslKey,
    PGSSLCRL: settings.sslCrl,
    PGCHANNELBINDING: settings.channelBinding,
    PGGSSENCMODE: 'disable',
    PGTARGETSESSIONATTRS: settings.targetSessionAttrs,
    PGCONNECT_TIMEOUT: String(Math.ceil(settings.connectTimeoutMs / 1000)),
    PGOPTIONS: settings.options,
    PGSERVICEFILE: noSuchFile,
  });
}

/** libpq takes one PGPASSWORD for all servers; where theirs differ, only the password file can say so. */
function passwordVariables({ servers, passFile }: ConnectionSettings): Record<string, string | undefined> {
  const [first, ...others] = servers;
  if (passFile !== undefined && others.some((server) => !samePassword(server, first))) {
    return { PGPASSFILE: passFile };
  }
  return { PGPASSWORD: first.password, PGPASSFILE: noSuchFile };
}

function samePassword(a: ServerAddress, b: ServerAddress): boolean {
  return a.password === b.password;
}

function defined(variables: Record<string, string | undefined>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) if (value !== undefined) result[name] = value;
  return result;
}
