import { describe, expect, it } from 'vitest';
import { isAllowedRecipient } from '../../../src/mail/addresses/is-allowed-recipient.ts';

describe('with allow_domains', () => {
  it.each([
    ['bob@example.org', ['example.org'], true],
    ['bob@example.org', ['example.net', 'example.org'], true],
    ['bob@sub.example.org', ['example.org'], false],
    ['bob@example.org.evil.test', ['example.org'], false],
    ['"bob@example.org"@evil.test', ['example.org'], false],
    ['bob@xn--w-uga1v8h.test', ['xn--w-uga1v8h.test'], true],
    ['żółw@żółw.test', ['xn--w-uga1v8h.test'], true],
    ['bob@[127.0.0.1]', ['example.org'], false],
    ['bob@example.org', [], false],
  ])('%s may get mail with %j: %j', (address, allowDomains, expected) => {
    expect(isAllowedRecipient({ address, allowDomains })).toBe(expected);
  });

  it('left out, everybody may', () => {
    expect(isAllowedRecipient({ address: 'bob@x.test', allowDomains: undefined })).toBe(true);
  });
});
