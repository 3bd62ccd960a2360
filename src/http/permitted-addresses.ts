import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type IpNetwork, isInNetwork, parseIpAddress } from '../config/ip-network.ts';
import { TendError } from '../errors.ts';
import { untilAborted } from '../until-aborted.ts';
import { embeddedAddress, refusedAddress } from './refused-address.ts';

/** Finds the addresses of a name; throws as node:dns does. */
export type ResolveHost = (hostname: string) => Promise<LookupAddress[]>;

/** As every other program of this host does: /etc/hosts, DNS and what else its resolver is set up for. */
export const resolveBySystem: ResolveHost = (hostname) => lookup(hostname, { all: true, order: 'verbatim' });

export interface PermittedAddressesOptions {
  url: URL;
  resolveHost: ResolveHost;
  allowPrivate: readonly IpNetwork[];
  signal: AbortSignal;
}

/**
 * The addresses behind the host of `url` that may be connected to, in the order of the resolver. The caller must connect to
 * one of these and not resolve the name again: the next answer may be another one (DNS rebinding).
 *
 * @throws TendError HTTP_ADDRESS_REFUSED, permanent, where none is left; what the resolver throws.
 */
export async function permittedAddresses(options: PermittedAddressesOptions): Promise<LookupAddress[]> {
  const hostname = options.url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(hostname);
  const found =
    family === 0
      ? await untilAborted(options.signal, options.resolveHost(hostname))
      : [{ address: hostname, family }];
  const reasons: string[] = [];
  const permitted = found.filter(({ address }) => {
    const reason = refusalOf(address, options.allowPrivate);
    if (reason !== undefined) reasons.push(`${address}, ${reason}`);
    return reason === undefined;
  });
  if (permitted.length > 0) return permitted;
  throw refused({ hostname, reasons, address: found[0]?.address ?? hostname });
}

function refusalOf(text: string, allowPrivate: readonly IpNetwork[]): string | undefined {
  const address = parseIpAddress(text);
  if (address === undefined) return 'an address that cannot be read';
  const reason = refusedAddress(address);
  if (reason === undefined) return undefined;
  const meant = [address, embeddedAddress(address)].filter((candidate) => candidate !== undefined);
  const isListed = allowPrivate.some((network) => meant.some((candidate) => isInNetwork(candidate, network)));
  return isListed ? undefined : reason;
}

function refused(options: { hostname: string; reasons: string[]; address: string }): TendError {
  const { hostname, reasons, address } = options;
  const led = reasons.length === 0 ? 'nowhere' : `to ${reasons.join('; ')}`;
  return new TendError('HTTP_ADDRESS_REFUSED', `The request to "${hostname}" is refused: it leads ${led}.`, {
    hint: `If it is meant, list it in tend.toml: [http] allow_private = ["${address}"], then: tend tasks retry ID`,
    isPermanent: true,
  });
}
