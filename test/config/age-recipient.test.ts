import { expect, test } from 'vitest';
import { checkConfig } from '../../src/config/check-config.ts';

const good = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

function check(...recipients: unknown[]) {
  const values = { backup: { encrypt_to: recipients } };
  return checkConfig({ values, file: undefined, overlays: new Map() });
}

test('recipients of age are taken as they are', () => {
  expect(check(good).backup.encrypt_to).toEqual([good]);
});

test.each([
  {
    title: 'one that lacks a letter',
    text: good.slice(0, -1),
    why: `"${good.slice(0, -1)}" .* 61 characters`,
  },
  { title: 'one with a letter mistyped', text: good.replace('z7h', 'z8h'), why: 'mistyped' },
  { title: 'one with two letters swapped', text: good.replace('hj', 'jh'), why: 'mistyped' },
  { title: 'one with a letter that is none of bech32', text: good.replace('z7h', 'zbh'), why: 'mistyped' },
  { title: 'one in capitals', text: good.toUpperCase(), why: 'a recipient of age' },
  { title: 'an SSH key', text: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI', why: 'SSH keys cannot be used' },
  {
    title: 'a recipient of a plugin',
    text: 'age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0sn',
    why: 'age1yubikey',
  },
  { title: 'a mail address', text: 'bob@example.org', why: 'a recipient of age' },
  { title: 'nothing', text: '', why: 'a recipient of age' },
  { title: 'a number', text: 7, why: 'a list of strings' },
])('$title is refused, and named by its place', ({ text, why }) => {
  expect(() => check(good, text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  expect(() => check(good, text)).toThrow(new RegExp(`backup\\.encrypt_to\\.1: .*${why}`));
});

test('a secret key in the wrong place is refused and not quoted', () => {
  const secret = 'AGE-SECRET-KEY-1XFGZ8Y3VNT5MQW7AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
  const failure = (() => {
    try {
      return check(secret);
    } catch (error) {
      return String(error);
    }
  })();
  expect(failure).toContain('age-keygen -y');
  expect(failure).not.toContain(secret.slice(15));
});
