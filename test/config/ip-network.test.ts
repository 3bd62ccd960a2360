import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInNetwork, parseIpAddress, parseIpNetwork } from '../../src/config/ip-network.ts';

function contains(network: string, address: string): boolean {
  const [parsedNetwork, parsedAddress] = [parseIpNetwork(network), parseIpAddress(address)];
  if (parsedNetwork === undefined || parsedAddress === undefined) throw new Error('cannot be read');
  return isInNetwork(parsedAddress, parsedNetwork);
}

describe('a network', () => {
  it.each([
    ['10.1.2.0/24', '10.1.2.255', true],
    ['10.1.2.0/24', '10.1.3.0', false],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::1', false],
    ['::1', '::1', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['fc00::/7', 'fdff::1', true],
    ['fc00::/7', 'fe00::1', false],
    ['2001:db8::/32', '2001:db8:1:2:3:4:192.0.2.1', true],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['10.0.0.0/8', '::ffff:a00:1', true],
    ['::ffff:10.0.0.0/104', '10.9.9.9', true],
    ['::ffff:10.0.0.1', '10.0.0.1', true],
    ['::/0', '10.0.0.1', false],
  ])('%s and %s: %s', (network, address, expected) => {
    expect(contains(network, address)).toBe(expected);
  });

  it.each([
    ...[
      '',
      'localhost',
      '10.1.2.3/24',
      '10.0.0.0/33',
      '::/129',
      '::1/64',
      '010.0.0.1',
      '10.1',
      '0x7f.0.0.1',
      '1.2.3.4/',
    ],
    ...['fe80::1%eth0', '10.0.0.0/-1', '10.0.0.0/8/8', '::ffff:10.0.0.0/90', '[::1]', ' 10.0.0.1'],
  ])('cannot be %j', (text) => {
    expect(parseIpNetwork(text)).toBeUndefined();
  });
});

it('agrees with the block lists of Node on any IPv6 network and address, whatever way they are written', () => {
  const group = fc.oneof(
    fc.constant('0'),
    fc.nat(0xffff).map((value) => value.toString(16)),
  );
  const groups = fc.array(group, { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(groups, groups, fc.nat(128), fc.boolean(), (left, right, prefix, isNear) => {
      const network = parseIpNetwork(left.join(':'));
      // ::ffff:a.b.c.d is IPv4 to us.
      fc.pre(network?.bits === 128);
      const address = isNear ? [...left.slice(0, 7), right[7]].join(':') : right.join(':');
      const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
      const parsed = parseIpAddress(canonical);
      fc.pre(parsed?.bits === 128);
      const list = new BlockList();
      list.addSubnet(left.join(':'), prefix, 'ipv6');
      const masked = { ...network, prefix };
      expect(parsed && isInNetwork(parsed, masked)).toBe(list.check(address, 'ipv6'));
    }),
  );
});
