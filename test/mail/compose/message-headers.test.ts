import { describe, expect, it } from 'vitest';
import type { MailMessage } from '../../../src/mail/compose/mail-message.ts';
import { messageHeaders } from '../../../src/mail/compose/message-headers.ts';

function headersOf(more: Partial<MailMessage>): Record<string, string> {
  return messageHeaders({ to: 'bob@x.test', subject: 'Hello', ...more });
}

describe('the headers of a message', () => {
  it('ask programs that answer by themselves not to (RFC 3834)', () => {
    expect(headersOf({})).toEqual({ 'Auto-Submitted': 'auto-generated' });
  });

  it('leave that to the message, which may be one that a person wrote', () => {
    expect(headersOf({ headers: { 'auto-submitted': 'no' } })).toEqual({ 'auto-submitted': 'no' });
  });

  it.each([
    ['high', '1 (Highest)'],
    ['low', '5 (Lowest)'],
  ] as const)('say %s importance in both ways that programs read', (importance, priority) => {
    expect(headersOf({ importance })).toMatchObject({ Importance: importance, 'X-Priority': priority });
  });

  it('offer one click to unsubscribe: one header with both ways, and RFC 8058’s promise', () => {
    const unsubscribe = { url: 'https://x.test/u?t=a%20b', mailto: 'Out <out+a&b@x.test>' };
    expect(headersOf({ unsubscribe })).toMatchObject({
      'List-Unsubscribe': '<https://x.test/u?t=a%20b>, <mailto:out%2Ba%26b@x.test?subject=unsubscribe>',
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    });
    expect(headersOf({ unsubscribe: { url: 'https://x.test/u' } })['List-Unsubscribe']).toBe(
      '<https://x.test/u>',
    );
  });

  it.each<[string, Partial<MailMessage>]>([
    [
      'List-Unsubscribe',
      { unsubscribe: { url: 'https://x.test' }, headers: { 'list-unsubscribe': '<https://y.test>' } },
    ],
    ['X-Priority', { importance: 'high', headers: { 'X-Priority': '3' } }],
  ])('do not say %s twice', (name, message) => {
    expect(() => headersOf(message)).toThrowError(
      expect.objectContaining({ code: 'MAIL_MESSAGE_INVALID', message: expect.stringContaining(name) }),
    );
  });
});
