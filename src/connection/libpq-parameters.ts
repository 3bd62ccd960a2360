/**
 * `used`: decides where we land, or how safely. `ignored`: makes no difference to that. `refused`: libpq would check
 * something that node-postgres cannot, so going on without it would be less safe than what was asked for.
 */
type Treatment = 'used' | 'ignored' | 'refused';

interface ParameterRule {
  /** The environment variable that fills the gap; some parameters have none. */
  env?: string;
  treatment: Treatment;
}

const table = {
  service: { env: 'PGSERVICE', treatment: 'used' },
  servicefile: { env: 'PGSERVICEFILE', treatment: 'used' },
  host: { env: 'PGHOST', treatment: 'used' },
  hostaddr: { env: 'PGHOSTADDR', treatment: 'used' },
  port: { env: 'PGPORT', treatment: 'used' },
  dbname: { env: 'PGDATABASE', treatment: 'used' },
  user: { env: 'PGUSER', treatment: 'used' },
  password: { env: 'PGPASSWORD', treatment: 'used' },
  passfile: { env: 'PGPASSFILE', treatment: 'used' },
  sslmode: { env: 'PGSSLMODE', treatment: 'used' },
  sslnegotiation: { env: 'PGSSLNEGOTIATION', treatment: 'used' },
  sslrootcert: { env: 'PGSSLROOTCERT', treatment: 'used' },
  sslcert: { env: 'PGSSLCERT', treatment: 'used' },
  sslkey: { env: 'PGSSLKEY', treatment: 'used' },
  sslcrl: { env: 'PGSSLCRL', treatment: 'used' },
  channel_binding: { env: 'PGCHANNELBINDING', treatment: 'used' },
  target_session_attrs: { env: 'PGTARGETSESSIONATTRS', treatment: 'used' },
  connect_timeout: { env: 'PGCONNECT_TIMEOUT', treatment: 'used' },
  options: { env: 'PGOPTIONS', treatment: 'used' },
  gssencmode: { env: 'PGGSSENCMODE', treatment: 'used' },
  ssl_min_protocol_version: { env: 'PGSSLMINPROTOCOLVERSION', treatment: 'used' },
  sslpassword: { treatment: 'refused' },
  sslcrldir: { env: 'PGSSLCRLDIR', treatment: 'refused' },
  requirepeer: { env: 'PGREQUIREPEER', treatment: 'refused' },
  require_auth: { env: 'PGREQUIREAUTH', treatment: 'refused' },
  replication: { treatment: 'refused' },
  application_name: { env: 'PGAPPNAME', treatment: 'ignored' },
  fallback_application_name: { treatment: 'ignored' },
  client_encoding: { env: 'PGCLIENTENCODING', treatment: 'ignored' },
  keepalives: { treatment: 'ignored' },
  keepalives_idle: { treatment: 'ignored' },
  keepalives_interval: { treatment: 'ignored' },
  keepalives_count: { treatment: 'ignored' },
  tcp_user_timeout: { treatment: 'ignored' },
  krbsrvname: { env: 'PGKRBSRVNAME', treatment: 'ignored' },
  gsslib: { env: 'PGGSSLIB', treatment: 'ignored' },
  gssdelegation: { env: 'PGGSSDELEGATION', treatment: 'ignored' },
  sslcompression: { env: 'PGSSLCOMPRESSION', treatment: 'ignored' },
  sslsni: { env: 'PGSSLSNI', treatment: 'ignored' },
  sslcertmode: { env: 'PGSSLCERTMODE', treatment: 'ignored' },
  ssl_max_protocol_version: { env: 'PGSSLMAXPROTOCOLVERSION', treatment: 'ignored' },
  load_balance_hosts: { env: 'PGLOADBALANCEHOSTS', treatment: 'ignored' },
  min_protocol_version: { env: 'PGMINPROTOCOLVERSION', treatment: 'ignored' },
  max_protocol_version: { env: 'PGMAXPROTOCOLVERSION', treatment: 'ignored' },
} as const satisfies Record<string, ParameterRule>;

/** A connection parameter by libpq's name (libpq-connect, "Parameter Key Words"). */
export type LibpqParameter = keyof typeof table;

/** Connection parameters as text, by libpq's names: what a URL, a service file or the environment says. */
export type ConnectionParameters = Partial<Record<LibpqParameter, string>>;

/** Every parameter libpq knows, with its environment variable and what becomes of it here. */
export const libpqParameters: Readonly<Record<LibpqParameter, ParameterRule>> = table;

export function isLibpqParameter(name: string): name is LibpqParameter {
  return Object.hasOwn(table, name);
}

/** The parameters of one treatment. */
export function parametersTreatedAs(treatment: Treatment): LibpqParameter[] {
  // Object.keys of a const object gives its own keys, and the type has no others.
  const names = Object.keys(table) as LibpqParameter[];
  return names.filter((name) => table[name].treatment === treatment);
}
