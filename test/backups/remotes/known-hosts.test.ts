import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  hostLabel,
  judgeHostKey,
  knownHostsLine,
  knownKeyTypes,
} from '../../../src/backups/remotes/known-hosts.ts';

function keyOf(type: string, rest: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type + rest)]);
}

const key = keyOf('ssh-ed25519', 'the key');
const encoded = key.toString('base64');
const salt = Buffer.from('some salt of twenty b').toString('base64');
const hash = createHmac('sha1', Buffer.from(salt, 'base64'))
  .update('[backup.example.org]:2222')
  .digest('base64');
const label = hostLabel('backup.example.org', 2222);

test.each([
  { line: `[backup.example.org]:2222 ssh-ed25519 ${encoded}`, verdict: 'known' },
  { line: `other,[backup.example.org]:2222 ssh-ed25519 ${encoded} a comment`, verdict: 'known' },
  { line: `[*.example.org]:2222 ssh-ed25519 ${encoded}`, verdict: 'known' },
  { line: `[backup.example.org]:222? ssh-ed25519 ${encoded}`, verdict: 'known' },
  { line: `|1|${salt}|${hash} ssh-ed25519 ${encoded}`, verdict: 'known' },
  { line: `|1|${salt}|${salt} ssh-ed25519 ${encoded}`, verdict: 'unknown' },
  { line: `*,![backup.example.org]:2222 ssh-ed25519 ${encoded}`, verdict: 'unknown' },
  { line: `backup.example.org ssh-ed25519 ${encoded}`, verdict: 'unknown' },
  { line: `# [backup.example.org]:2222 ssh-ed25519 ${encoded}`, verdict: 'unknown' },
  { line: '[backup.example.org]:2222', verdict: 'unknown' },
  {
    line: `[backup.example.org]:2222 ssh-ed25519 ${keyOf('ssh-ed25519', 'another').toString('base64')}`,
    verdict: 'changed',
  },
  {
    line: `[backup.example.org]:2222 ssh-rsa ${keyOf('ssh-rsa', 'another').toString('base64')}`,
    verdict: 'changed',
  },
  {
    line: `@revoked * ssh-ed25519 ${encoded}\n[backup.example.org]:2222 ssh-ed25519 ${encoded}`,
    verdict: 'revoked',
  },
  { line: `@cert-authority * ssh-ed25519 ${encoded}`, verdict: 'unknown' },
])('a server is $verdict by "$line"', ({ line, verdict }) => {
  expect(judgeHostKey(`\n${line}\n`, label, key)).toBe(verdict);
});

test('the line for a key makes it known, and its type is asked for', () => {
  const line = knownHostsLine(label, key);
  expect(line).toBe(`[backup.example.org]:2222 ssh-ed25519 ${encoded}`);
  expect(judgeHostKey(line, label, key)).toBe('known');
  expect(knownKeyTypes(line, label)).toEqual(['ssh-ed25519']);
  expect(hostLabel('backup.example.org', 22)).toBe('backup.example.org');
});
