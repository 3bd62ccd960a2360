import { join } from 'node:path';
import type { SecretRegistry } from '../redact.ts';
import { invalidSettings } from './invalid-settings.ts';
import type { ConnectionParameters } from './libpq-parameters.ts';
import { readTextFile } from './read-text-file.ts';
import { storeParameter } from './store-parameter.ts';

export interface ReadServiceOptions {
  service: string;
  /** `servicefile` or PGSERVICEFILE: then this file must exist. */
  serviceFile: string | undefined;
  env: NodeJS.ProcessEnv;
  home: string;
  secrets: SecretRegistry;
}

/**
 * The parameters of one service, from the user's file, else from the system's, as libpq looks for them
 * (libpq-pgservice). A service that is defined nowhere is an error.
 */
export function readService(options: ReadServiceOptions): ConnectionParameters {
  const { service, serviceFile, env, home } = options;
  const origin = `the service "${service}"`;
  const paths = [serviceFile ?? join(home, '.pg_service.conf'), ...systemFiles(env)];
  for (const [index, path] of paths.entries()) {
    const content = readTextFile(path);
    if (content === undefined && index === 0 && serviceFile !== undefined) {
      throw invalidSettings(origin, `the service file "${path}" does not exist`);
    }
    const found = content === undefined ? undefined : parseService(content, { ...options, path });
    if (found !== undefined) return found;
  }
  throw invalidSettings(
    origin,
    'no service file defines it',
    `Define [${service}] in "${serviceFile ?? join(home, '.pg_service.conf')}".`,
  );
}

/** libpq has its directory compiled in: Debian's is the first, the others' the second. */
function systemFiles(env: NodeJS.ProcessEnv): string[] {
  const directories =
    env.PGSYSCONFDIR === undefined ? ['/etc/postgresql-common', '/etc/sysconfig/pgsql'] : [env.PGSYSCONFDIR];
  return directories.map((directory) => join(directory, 'pg_service.conf'));
}

/** Undefined where the file has no such section. Within a section the first value of a key counts. */
function parseService(
  content: string,
  { service, path, secrets }: ReadServiceOptions & { path: string },
): ConnectionParameters | undefined {
  let parameters: ConnectionParameters | undefined;
  for (const [index, rawLine] of content.split('\n').entries()) {
    const line = rawLine.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (parameters !== undefined) return parameters;
      if (line.startsWith(`[${service}]`)) parameters = {};
      continue;
    }
    if (parameters === undefined) continue;
    const origin = `"${path}", line ${index + 1}`;
    const equals = line.indexOf('=');
    if (equals === -1) throw invalidSettings(origin, 'KEY=VALUE without spaces around "=" was expected');
    const name = line.slice(0, equals);
    if (name === 'service' || name === 'servicefile') {
      throw invalidSettings(origin, 'a service cannot name another service');
    }
    const entry: ConnectionParameters = {};
    storeParameter({ parameters: entry, name, value: line.slice(equals + 1), origin, secrets });
    parameters = { ...entry, ...parameters };
  }
  return parameters;
}
