import { isIPv4, isIPv6 } from 'node:net';

/** One address as a number, so that networks are a matter of comparing its first bits. */
export interface IpAddress {
  bits: 32 | 128;
  value: bigint;
}

export interface IpNetwork extends IpAddress {
  /** How many of the first bits all addresses of it share. */
  prefix: number;
}

const mapped = 0xffffn;

/**
 * Reads an IPv4 or IPv6 address; undefined for anything else, also for one with a zone (`fe80::1%eth0`). An IPv4-mapped
 * one (`::ffff:10.0.0.1`) is the IPv4 address it holds: a connection to it goes there.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (isIPv4(text)) return { bits: 32, value: fromDotted(text) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const value = fromGroups(text);
  return value >> 32n === mapped ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value };
}

/** Reads an address, or a network as `10.1.2.0/24`; undefined where bits beyond the prefix are set: a slip. */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const [, written = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parseIpAddress(written);
  if (address === undefined) return undefined;
  const skipped = written.includes(':') ? 128 - address.bits : 0;
  const prefix = length === undefined ? address.bits : Number(length) - skipped;
  if (prefix < 0 || prefix > address.bits) return undefined;
  const rest = address.value & ((1n << BigInt(address.bits - prefix)) - 1n);
  return rest === 0n ? { ...address, prefix } : undefined;
}

/** Whether the address lies in the network; never true across IPv4 and IPv6. */
export function isInNetwork(address: IpAddress, network: IpNetwork): boolean {
  const rest = BigInt(network.bits - network.prefix);
  return address.bits === network.bits && address.value >> rest === network.value >> rest;
}

function fromDotted(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

/** `::` stands for as many zero groups as are missing; the last two groups may be written as an IPv4 address. */
function fromGroups(text: string): bigint {
  const [, start = '', dotted] = /^(.*:)(\d+(?:\.\d+){3})$/.exec(text) ?? [];
  const inner = dotted === undefined ? 0n : fromDotted(dotted);
  const hex =
    dotted === undefined ? text : `${start}${(inner >> 16n).toString(16)}:${(inner & 0xffffn).toString(16)}`;
  const [before = '', after = ''] = hex.split('::');
  const [left, right] = [before, after].map((part) => (part === '' ? [] : part.split(':')));
  const groups = [
    ...(left ?? []),
    ...Array<string>(8 - (left?.length ?? 0) - (right?.length ?? 0)).fill('0'),
    ...(right ?? []),
  ];
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}
