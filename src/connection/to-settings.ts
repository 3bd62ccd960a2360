import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../log.ts';
import type { SecretRegistry } from '../redact.ts';
import { invalidSettings } from './invalid-settings.ts';
import { type ConnectionParameters, parametersTreatedAs } from './libpq-parameters.ts';
import { findPassword, readPgpass } from './pgpass.ts';
import { serverAddresses } from './server-addresses.ts';
import type { ConnectionSettings, SslMode, TargetSessionAttrs } from './settings.ts';

export interface ToSettingsOptions {
  /** Everything that was said, each gap filled from the next source. */
  parameters: ConnectionParameters;
  origin: string;
  osUser: string | undefined;
  home: string;
  log: Log;
  secrets: SecretRegistry;
}

const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
const sessionAttrs = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
const defaultConnectTimeoutMs = 10_000;

/** Gives libpq's parameters libpq's defaults, checks them, and looks up each server's password. */
export function toSettings(options: ToSettingsOptions): ConnectionSettings {
  const { parameters, origin, osUser, home, log, secrets } = options;
  refuseWhatCannotBeKept(parameters, origin);
  const user = parameters.user || osUser;
  if (user === undefined) {
    throw invalidSettings(origin, 'no user is given, and the operating system has no name for this one');
  }
  const database = parameters.dbname || user;
  const defaultSocketDirectory = findSocketDirectory();
  const passFile = parameters.passfile || join(home, '.pgpass');
  const lines = parameters.password ? [] : readPgpass(passFile, log);
  const [first, ...others] = serverAddresses(parameters, defaultSocketDirectory, origin).map((server) => {
    const key = { host: server.host, port: server.port, database, user };
    const password = parameters.password || findPassword(lines, key, defaultSocketDirectory);
    secrets.add(password);
    return password ? { ...server, password } : server;
  });
  if (first === undefined) throw invalidSettings(origin, 'no server is given');
  return {
    servers: [first, ...others],
    database,
    user,
    ...tlsSettings(parameters, home, origin),
    ...(lines.length > 0 ? { passFile } : {}),
    ...(parameters.options ? { options: parameters.options } : {}),
    targetSessionAttrs:
      oneOf<TargetSessionAttrs>('target_session_attrs', sessionAttrs, parameters, origin) ?? 'any',
    connectTimeoutMs: connectTimeoutMs(parameters.connect_timeout, origin),
    origin,
  };
}

/** Debian's, Red Hat's and most packages' directory where it exists, else the one PostgreSQL is built with. */
function findSocketDirectory(): string {
  return existsSync('/var/run/postgresql') ? '/var/run/postgresql' : '/tmp';
}

function refuseWhatCannotBeKept(parameters: ConnectionParameters, origin: string): void {
  const hint = 'Remove it from these settings or from the environment.';
  for (const name of parametersTreatedAs('refused')) {
    if (parameters[name]) throw invalidSettings(origin, `the parameter "${name}" is not supported`, hint);
  }
  if (parameters.gssencmode === 'require') {
    throw invalidSettings(origin, 'GSSAPI encryption is not supported', hint);
  }
  if (parameters.ssl_min_protocol_version === 'TLSv1.3') {
    throw invalidSettings(origin, 'ssl_min_protocol_version above TLSv1.2 is not supported', hint);
  }
}

type TlsSettings = Pick<
  ConnectionSettings,
  'sslMode' | 'sslNegotiation' | 'channelBinding' | 'sslRootCert' | 'sslCert' | 'sslKey' | 'sslCrl'
>;

function tlsSettings(parameters: ConnectionParameters, home: string, origin: string): TlsSettings {
  const usesSystemRoots = parameters.sslrootcert === 'system';
  const given = oneOf<SslMode>('sslmode', sslModes, parameters, origin);
  if (usesSystemRoots && given !== undefined && given !== 'verify-full') {
    throw invalidSettings(origin, `sslrootcert=system needs sslmode=verify-full, not ${given}`);
  }
  const sslMode = given ?? (usesSystemRoots ? 'verify-full' : 'prefer');
  const negotiation = oneOf('sslnegotiation', ['postgres', 'direct'] as const, parameters, origin);
  if (negotiation === 'direct' && ['disable', 'allow', 'prefer'].includes(sslMode)) {
    throw invalidSettings(origin, `sslnegotiation=direct needs sslmode=require or stricter, not ${sslMode}`);
  }
  const binding = oneOf('channel_binding', ['disable', 'prefer', 'require'] as const, parameters, origin);
  const defaultFile = (name: string) => {
    const path = join(home, '.postgresql', name);
    return existsSync(path) ? path : undefined;
  };
  const files = {
    sslRootCert: parameters.sslrootcert || defaultFile('root.crt'),
    sslCert: parameters.sslcert || defaultFile('postgresql.crt'),
    sslKey: parameters.sslkey || defaultFile('postgresql.key'),
    sslCrl: parameters.sslcrl || defaultFile('root.crl'),
  };
  return {
    sslMode,
    ...(negotiation === 'direct' ? { sslNegotiation: negotiation } : {}),
    ...(binding === undefined ? {} : { channelBinding: binding }),
    ...(files.sslRootCert === undefined ? {} : { sslRootCert: files.sslRootCert }),
    ...(files.sslCert === undefined ? {} : { sslCert: files.sslCert }),
    ...(files.sslKey === undefined ? {} : { sslKey: files.sslKey }),
    ...(files.sslCrl === undefined ? {} : { sslCrl: files.sslCrl }),
  };
}

function oneOf<T extends string>(
  name: 'sslmode' | 'sslnegotiation' | 'channel_binding' | 'target_session_attrs',
  allowed: readonly T[],
  parameters: ConnectionParameters,
  origin: string,
): T | undefined {
  const value = parameters[name];
  if (value === undefined || value === '') return undefined;
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw invalidSettings(origin, `${name} is one of ${allowed.join(', ')}, not "${value}"`);
}

/** libpq waits for ever unless told otherwise; a command of ours never does. 0 asks for libpq's way. */
function connectTimeoutMs(seconds: string | undefined, origin: string): number {
  if (seconds === undefined || seconds === '') return defaultConnectTimeoutMs;
  if (!/^\s*[+-]?\d{1,6}\s*$/.test(seconds)) {
    throw invalidSettings(origin, `connect_timeout is a whole number of seconds, not "${seconds}"`);
  }
  return Math.max(0, Number(seconds)) * 1000;
}
