import type { SecretRegistry } from '../redact.ts';
import { invalidSettings } from './invalid-settings.ts';
import { type ConnectionParameters, isLibpqParameter } from './libpq-parameters.ts';

// What pools, ORMs and drivers put into a database URL for themselves: it says nothing about the server.
const ofOtherLibraries = new Set(
  (
    'schema connection_limit pool_timeout pgbouncer socket_timeout statement_cache_size single_use_connections ' +
    'pool pool_size max_overflow pool_recycle pool_pre_ping max min idletimeoutmillis keepalive uselibpqcompat ' +
    'conn_max_age conn_health_checks encoding reconnect prepared_statements advisory_locks checkout_timeout ' +
    'idle_timeout reaping_frequency min_messages schema_search_path prepared_statement_cache_size ' +
    'prepared_statement_name_func async_fallback command_timeout max_inactive_connection_lifetime ' +
    'pool_max_conns pool_min_conns pool_max_conn_lifetime pool_max_conn_idle_time pool_health_check_period ' +
    'default_query_exec_mode statement_cache_capacity description_cache_capacity binary_parameters ' +
    'currentschema preparethreshold rewritebatchedinserts tcpkeepalive logintimeout sockettimeout ' +
    'statement_timeout lock_timeout query_timeout idle_in_transaction_session_timeout'
  ).split(' '),
);

const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

export interface StoreParameterOptions {
  parameters: ConnectionParameters;
  name: string;
  value: string;
  origin: string;
  secrets: SecretRegistry;
  /** Accept what other libraries read from the same string, as URLs of applications hold it. */
  allowForeign?: true;
}

/** Puts one `name=value` where it belongs: passwords also into the registry, unknown names are errors. */
export function storeParameter(options: StoreParameterOptions): void {
  const { parameters, name, value, origin, secrets } = options;
  if (name === 'password' || name === 'sslpassword') secrets.add(value);
  if (isLibpqParameter(name)) {
    parameters[name] = value;
    return;
  }
  if (options.allowForeign && name === 'ssl') {
    parameters.sslmode = sslModeOf(value, origin);
    return;
  }
  if (options.allowForeign && ofOtherLibraries.has(name.toLowerCase())) return;
  throw invalidSettings(origin, `the parameter "${name}" is not known`);
}

/** `ssl=true` of JDBC and node-postgres, `ssl=require` of asyncpg. */
function sslModeOf(value: string, origin: string): string {
  if (value === 'true' || value === '1') return 'require';
  if (value === 'false' || value === '0') return 'disable';
  if (sslModes.includes(value)) return value;
  throw invalidSettings(origin, `"ssl" is true, false or one of ${sslModes.join(', ')}`);
}
