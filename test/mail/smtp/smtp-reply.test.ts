import { expect, it } from 'vitest';
import { cleanReply } from '../../../src/mail/smtp/smtp-reply.ts';

it('a long reply is not cut through a character, which PostgreSQL would not take', () => {
  const kept = cleanReply(`550 ${'x'.repeat(495)}😀 and more`);
  expect(kept.isWellFormed()).toBe(true);
  expect(kept).toHaveLength(500);
});
