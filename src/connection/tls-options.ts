import { readFileSync, statSync } from 'node:fs';
import type * as NodeTls from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { invalidSettings } from './invalid-settings.ts';
import type { ConnectionSettings, ServerAddress } from './settings.ts';

/**
 * `sslmode` with libpq's meaning (libpq-ssl): below verify-ca the certificate is not checked, unless a root
 * certificate is there, then its chain is; only verify-full compares the name.
 */
export function tlsOptions(settings: ConnectionSettings, server: ServerAddress): ConnectionOptions {
  const { sslMode, sslCert, sslKey, sslCrl, origin } = settings;
  const roots = rootCertificates(settings);
  const checksName = sslMode === 'verify-full';
  const isName = !/^[\d.]+$|:/.test(server.host);
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: roots !== undefined,
    ...(roots === undefined ? {} : { ca: roots }),
    ...(isName ? { servername: server.host } : {}),
    checkServerIdentity: (_name, certificate) =>
      checksName ? tls().checkServerIdentity(server.host, certificate) : undefined,
    ...(sslCrl === undefined || roots === undefined ? {} : { crl: read(sslCrl, 'sslcrl', origin) }),
    ...(sslCert === undefined
      ? {}
      : { cert: read(sslCert, 'sslcert', origin), ...clientKey(sslKey, origin) }),
  };
}

/** Node's TLS, loaded only where a session is encrypted: it costs as much as a third of an idle tick. */
function tls(): typeof NodeTls {
  return process.getBuiltinModule('node:tls');
}

/** The operating system's, those of a file, or none: then nothing is checked. */
function rootCertificates(settings: ConnectionSettings): string[] | Buffer | undefined {
  const { sslMode, sslRootCert, origin } = settings;
  if (sslRootCert === 'system') return tls().getCACertificates('system');
  const isNeeded = sslMode === 'verify-ca' || sslMode === 'verify-full';
  if (sslRootCert !== undefined && (isNeeded || exists(sslRootCert))) {
    return read(sslRootCert, 'sslrootcert', origin);
  }
  if (!isNeeded) return undefined;
  throw invalidSettings(
    origin,
    `sslmode=${sslMode} needs a root certificate, and ~/.postgresql/root.crt does not exist`,
    'Set sslrootcert=FILE, or sslrootcert=system for the certificates of the operating system.',
  );
}

function clientKey(path: string | undefined, origin: string): ConnectionOptions {
  if (path === undefined)
    throw invalidSettings(origin, 'there is a client certificate (sslcert) but no sslkey');
  const key = read(path, 'sslkey', origin);
  // libpq's rule: the owner alone, or root's file for a group
  const { mode, uid } = statSync(path);
  if ((mode & (uid === 0 ? 0o037 : 0o077)) !== 0) {
    throw invalidSettings(origin, `the key "${path}" (sslkey) can be read by others`, `chmod 0600 ${path}`);
  }
  return { key };
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function read(path: string, name: string, origin: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw invalidSettings(origin, `the file "${path}" (${name}) cannot be read (${reason})`);
  }
}
