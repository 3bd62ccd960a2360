import { getDotPath, safeParse } from 'valibot';
import { describe, expect, it } from 'vitest';
import { mailMessageSchema } from '../../../src/mail/compose/mail-message.ts';

function issuesOf(attachment: unknown): string[] {
  const { issues = [] } = safeParse(mailMessageSchema, {
    to: 'bob@x.test',
    subject: 'Hello',
    attachments: [attachment],
  });
  return issues.map((issue) => `${getDotPath(issue)}: ${issue.message}`);
}

describe('an attachment in a payload', () => {
  it.each([
    { path: 'a.pdf' },
    { path: '/srv/media/a.pdf', filename: 'b.pdf', contentType: 'application/pdf' },
    { content: 'aGk=', filename: 'a.txt' },
    { content: 'aGk=', filename: 'a.txt', contentType: 'text/plain' },
    { content: '', filename: 'empty.txt' },
    { attachment: 7 },
    { attachment: 7, filename: 'b.pdf', contentType: 'application/pdf' },
    { largeObject: 16400, filename: 'b.pdf' },
    { path: 'logo.png', cid: 'logo' },
    { content: 'aGk=', filename: 'logo.png', cid: 'logo.1@example.org' },
    // as PostgreSQL's encode(…, 'base64') breaks lines
    { content: `${'YWFh'.repeat(19)}\n${'YWFh'.repeat(19)}\nYQ==`, filename: 'a.txt' },
  ])('may be %j', (attachment) => {
    expect(issuesOf(attachment)).toEqual([]);
  });

  const either =
    'an attachment is {path, filename?}, {content, filename}, {attachment, filename?} or {largeObject, filename}, each with contentType? and cid?';
  it.each<[unknown, string]>([
    [{}, `attachments.0.path: ${either}`],
    ['a.pdf', `attachments.0: ${either}`],
    [null, `attachments.0: ${either}`],
    [{ path: 'a.pdf', content: 'aGk=', filename: 'a' }, `attachments.0.path: ${either}`],
    [{ path: 'a.pdf', href: 'file:///etc/passwd' }, `attachments.0.href: ${either}`],
    [{ content: 'aGk=' }, `attachments.0.filename: ${either}`],
    [{ path: '' }, 'attachments.0.path: an empty string is not allowed'],
    [{ path: 7 }, 'attachments.0.path: a string was expected'],
    [{ content: 7, filename: 'a' }, 'attachments.0.content: base64 was expected'],
    [{ content: 'aGk', filename: 'a' }, 'attachments.0.content: this is not base64'],
    [{ content: 'a===', filename: 'a' }, 'attachments.0.content: this is not base64'],
    [{ content: '/etc/passwd!', filename: 'a' }, 'attachments.0.content: this is not base64'],
    [{ attachment: 0 }, 'attachments.0.attachment: the id that tend.attach returned was expected'],
    [{ attachment: '7' }, 'attachments.0.attachment: the id that tend.attach returned was expected'],
    [{ largeObject: 7 }, `attachments.0.filename: ${either}`],
    [
      { largeObject: 2 ** 32, filename: 'a' },
      'attachments.0.largeObject: the OID of a large object was expected',
    ],
    [{ attachment: 7, path: 'a' }, `attachments.0.path: ${either}`],
    [
      { path: 'a', cid: '<a>' },
      'attachments.0.cid: a Content-ID such as "logo" or "logo@example.org" was expected',
    ],
    [
      { content: '', filename: 'a', contentType: 'pdf' },
      'attachments.0.contentType: a media type such as "application/pdf" was expected',
    ],
  ])('may not be %j', (attachment, issue) => {
    expect(issuesOf(attachment)).toEqual([issue]);
  });

  it('may carry many megabytes', () => {
    expect(issuesOf({ content: Buffer.alloc(40 << 20, 1).toString('base64'), filename: 'a' })).toEqual([]);
  });
});

function issuesOfMessage(more: Record<string, unknown>): string[] {
  const { issues = [] } = safeParse(mailMessageSchema, { to: 'bob@x.test', subject: 'Hello', ...more });
  return issues.map((issue) => `${getDotPath(issue)}: ${issue.message}`);
}

describe('a payload of send-mail', () => {
  it.each([
    { subject: undefined, template: 'welcome' },
    { template: 'orders/shipped', data: { a: [1, null, { b: 'c' }] }, locale: 'pt_BR' },
    { importance: 'high' },
    { unsubscribe: { url: 'https://x.test/u?t=1', mailto: 'u@x.test' } },
    { expiresAt: '2026-12-24T18:00:00Z' },
    { expiresAt: '2026-12-24T18:00:00.123456+00:00' },
    { expiresAt: '2026-12-24 18:00:00.1+01' },
  ])('may have %j', (more) => {
    expect(issuesOfMessage(more)).toEqual([]);
  });

  const httpsUrl = 'unsubscribe.url: an https URL without spaces, commas or angle brackets was expected';
  const moment = 'expiresAt: a time with its zone, such as "2026-12-24T18:00:00Z", was expected';
  it.each<[Record<string, unknown>, string]>([
    [{ subject: undefined }, 'subject: a subject is needed where no template gives one'],
    [{ template: 'a', text: 'b' }, 'template: a message has a template, or text and html, not both'],
    [{ locale: 'pl' }, 'template: data and locale are for a template, and none is named'],
    [{ importance: 'urgent' }, 'importance: "high" or "low" was expected'],
    [{ unsubscribe: { url: 'http://x.test/u' } }, httpsUrl],
    [{ unsubscribe: { url: 'https://x.test/a>, <b' } }, httpsUrl],
    [{ unsubscribe: { url: 'https://x.test/ż' } }, httpsUrl],
    [{ unsubscribe: { url: `https://x.test/${'a'.repeat(900)}` } }, httpsUrl],
    [{ expiresAt: '2026-12-24T18:00:00' }, moment],
    [{ expiresAt: '2026-13-24T18:00:00Z' }, moment],
    [{ expiresAt: 'tomorrow' }, moment],
  ])('may not have %j', (more, issue) => {
    expect(issuesOfMessage(more)).toEqual([issue]);
  });
});
