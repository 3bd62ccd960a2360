import { describe, expect, it } from 'vitest';
import { failureStatus, isAddressGone } from '../../../src/mail/bounces/failure-status.ts';

describe('the status of a failure', () => {
  it.each([
    ['5.1.1', '550 5.1.1 unknown', '5.1.1'],
    ['5.0.0', '550 5.1.1 unknown', '5.1.1'],
    ['5.0.0', '550-5.2.1 disabled', '5.2.1'],
    ['5.1.1 (bad destination mailbox address)', '', '5.1.1'],
    ['5.0.0', 'host mx [5.1.1.7]: no', '5.0.0'],
    [undefined, 'Sorry, no mailbox here by that name. (#5.1.1)', '5.1.1'],
    [undefined, '192.0.2.25 said no', undefined],
  ])('%j of a server that said %j is %j', (status, diagnostic, expected) => {
    expect(failureStatus({ status, diagnostic })).toBe(expected);
  });
});

describe('an address gets no more mail', () => {
  it.each([
    ['unknown mailbox', '5.1.1', '550 5.1.1 User unknown'],
    ['unknown domain', '5.1.2', ''],
    ['a domain that takes no mail', '5.1.10', '556 5.1.10 Null MX'],
    ['disabled', '5.2.1', '550 5.2.1 The email account that you tried to reach is disabled'],
    ['no route', '5.4.4', 'Host or domain name not found'],
    ['Microsoft 365', '5.4.1', '550 5.4.1 Recipient address rejected: Access denied.'],
    ['without a code of its own', '5.0.0', "550 sorry, that address doesn't exist"],
    ['qmail', undefined, 'Sorry, no mailbox here by that name.'],
  ])('after: %s', (_, status, diagnostic) => {
    expect(isAddressGone({ status, diagnostic })).toBe(true);
  });
});

describe('an address keeps getting mail', () => {
  it.each([
    ['a full mailbox', '5.2.2', '552 5.2.2 Mailbox full'],
    [
      'too much at once',
      '5.2.1',
      '550-5.2.1 The user you are trying to contact is receiving mail at a rate that',
    ],
    ['a message too large', '5.3.4', '552 5.3.4 Message too big'],
    ['policy', '5.7.1', '550 5.7.1 user unknown to us as a friend'],
    ['spam', '5.7.1', '554 5.7.1 Spam'],
    ['our own address', '5.1.8', '550 5.1.8 Bad sender: user unknown'],
    ['given up after days', '4.4.7', 'user unknown'],
    ['a loop', '5.4.6', ''],
    ['no reason at all', '5.0.0', '550 no'],
    ['nothing', undefined, ''],
  ])('after: %s', (_, status, diagnostic) => {
    expect(isAddressGone({ status, diagnostic })).toBe(false);
  });
});
