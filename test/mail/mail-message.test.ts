import { getDotPath, safeParse } from 'valibot';
import { describe, expect, it } from 'vitest';
import { mailMessageSchema } from '../../src/mail/mail-message.ts';

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
    // as PostgreSQL's encode(…, 'base64') breaks lines
    { content: `${'YWFh'.repeat(19)}\n${'YWFh'.repeat(19)}\nYQ==`, filename: 'a.txt' },
  ])('may be %j', (attachment) => {
    expect(issuesOf(attachment)).toEqual([]);
  });

  const either =
    'an attachment is either {path, filename?, contentType?} or {content, filename, contentType?}';
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
