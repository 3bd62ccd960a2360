import { invalidSettings } from './invalid-settings.ts';
import type { ConnectionParameters } from './libpq-parameters.ts';
import type { ServerAddress } from './settings.ts';

/**
 * Matches the comma-separated `host`, `hostaddr` and `port` as connectOptions2 of libpq's fe-connect.c does: hosts and
 * addresses pair up, one port serves all, an empty element is the default.
 */
export function serverAddresses(
  parameters: ConnectionParameters,
  defaultSocketDirectory: string,
  origin: string,
): ServerAddress[] {
  const addresses = split(parameters.hostaddr);
  const hosts = split(parameters.host);
  const count = Math.max(addresses.length, hosts.length, 1);
  if (addresses.length > 0 && hosts.length > 0 && addresses.length !== hosts.length) {
    throw invalidSettings(
      origin,
      `${hosts.length} hosts do not fit ${addresses.length} addresses (hostaddr)`,
    );
  }
  const ports = split(parameters.port);
  if (ports.length > 1 && ports.length !== count) {
    throw invalidSettings(origin, `${ports.length} ports do not fit ${count} hosts`);
  }
  return Array.from({ length: count }, (_, index) => {
    const address = addresses[index] ?? '';
    const host = hosts[index] || address || defaultSocketDirectory;
    if (host.startsWith('@')) {
      throw invalidSettings(origin, 'sockets in the abstract namespace ("@…") are not supported');
    }
    const port = parsePort(ports.length > 1 ? ports[index] : ports[0], origin);
    return address === '' || address === host ? { host, port } : { host, address, port };
  });
}

function split(list: string | undefined): string[] {
  return list === undefined || list === '' ? [] : list.split(',');
}

/** The bad value is not quoted: in a URL it can be a piece of a password. */
function parsePort(text: string | undefined, origin: string): number {
  if (text === undefined || text.trim() === '') return 5432;
  const port = Number(text);
  if (/^\s*\d+\s*$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw invalidSettings(origin, 'a port is a number from 1 to 65535');
}
