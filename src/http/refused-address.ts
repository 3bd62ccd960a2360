import { type IpAddress, isInNetwork, parseIpNetwork } from '../config/ip-network.ts';

/** IANA's special-purpose registries (RFC 6890 and its updates), and multicast: nothing public lives there. */
const special = [
  ['0.0.0.0/8', 'an unspecified address'],
  ['10.0.0.0/8', 'a private address'],
  ['100.64.0.0/10', 'a shared address of a carrier'],
  ['127.0.0.0/8', 'a loopback address'],
  ['169.254.0.0/16', 'a link-local address'],
  ['172.16.0.0/12', 'a private address'],
  ['192.0.0.0/24', 'a reserved address'],
  ['192.0.2.0/24', 'a documentation address'],
  ['192.88.99.0/24', 'a reserved address'],
  ['192.168.0.0/16', 'a private address'],
  ['198.18.0.0/15', 'a benchmarking address'],
  ['198.51.100.0/24', 'a documentation address'],
  ['203.0.113.0/24', 'a documentation address'],
  ['224.0.0.0/4', 'a multicast address'],
  ['240.0.0.0/4', 'a reserved address'],
  ['::/128', 'an unspecified address'],
  ['::1/128', 'a loopback address'],
  ['fc00::/7', 'a private address'],
  ['fe80::/10', 'a link-local address'],
  ['ff00::/8', 'a multicast address'],
  // Teredo, ORCHID, benchmarking and the rest of the protocol assignments.
  ['2001::/23', 'a reserved address'],
  ['2001:db8::/32', 'a documentation address'],
  ['3fff::/20', 'a documentation address'],
].map(([network = '', what = '']) => ({ network: knownNetwork(network), what }));

const globalUnicast = knownNetwork('2000::/3');
const nat64 = knownNetwork('64:ff9b::/96');
const sixToFour = knownNetwork('2002::/16');

/** What kind of address it is, where that is one that no service on the internet can have; undefined where it is not. */
export function refusedAddress(address: IpAddress): string | undefined {
  const inner = embeddedAddress(address);
  if (inner !== undefined) return refusedAddress(inner);
  const found = special.find(({ network }) => isInNetwork(address, network));
  if (found !== undefined) return found.what;
  return address.bits === 128 && !isInNetwork(address, globalUnicast) ? 'a reserved address' : undefined;
}

/** The IPv4 address that a NAT64 or 6to4 gateway would send the packets on to. */
export function embeddedAddress(address: IpAddress): IpAddress | undefined {
  if (isInNetwork(address, nat64)) return { bits: 32, value: address.value & 0xffff_ffffn };
  if (isInNetwork(address, sixToFour)) return { bits: 32, value: (address.value >> 80n) & 0xffff_ffffn };
  return undefined;
}

function knownNetwork(text: string) {
  const network = parseIpNetwork(text);
  if (network === undefined) throw new Error(`"${text}" is no network`);
  return network;
}
