import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/log.ts';
import {
  type ComposedMessage,
  type ComposeMessageOptions,
  composeMessage,
} from '../../../src/mail/compose/compose-message.ts';
import type { MailMessage } from '../../../src/mail/compose/mail-message.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { composingDefaults } from '../support/composing-defaults.ts';

const clock = { now: () => new Date('2026-11-22T10:00:00Z'), monotonicMs: () => 0 };

async function compose(message: Partial<MailMessage>, more: Partial<ComposeMessageOptions> = {}) {
  return await composeMessage({
    ...composingDefaults,
    message: { to: 'bob@x.test', subject: 'Hello', text: 'Hi', ...message },
    baseDirectory: '/',
    clock,
    signal: AbortSignal.timeout(10_000),
    log: silentLog,
    ...more,
  });
}

function headerOf({ raw }: ComposedMessage): string {
  return raw.subarray(0, raw.indexOf('\r\n\r\n')).toString();
}

describe('composeMessage', () => {
  it('makes a message with a Message-ID of the sender’s domain and the date of the clock', async () => {
    const composed = await compose({});
    expect(composed.messageId).toMatch(/^<[0-9a-f-]{36}@example\.org>$/);
    expect(composed.envelope).toEqual({ from: 'cms@example.org', to: ['bob@x.test'] });
    const header = headerOf(composed);
    expect(header).toContain(`Message-ID: ${composed.messageId}`);
    expect(header).toContain('Date: Sun, 22 Nov 2026 10:00:00 +0000');
    expect(header).toContain('From: CMS <cms@example.org>');
    expect(header).toContain('MIME-Version: 1.0');
  });

  it('keeps blind copies out of the data and in the envelope', async () => {
    const composed = await compose({ cc: ['cc@x.test'], bcc: ['Hidden <hidden@x.test>'] });
    expect(composed.envelope.to).toEqual(['bob@x.test', 'cc@x.test', 'hidden@x.test']);
    expect(composed.raw.toString()).not.toMatch(/^bcc|hidden/im);
  });

  it('sends once to an address named twice', async () => {
    const composed = await compose({ to: ['bob@x.test', 'Bob <bob@X.test>'], cc: 'bob@x.test' });
    expect(composed.envelope.to).toEqual(['bob@x.test']);
  });

  it('encodes what is beyond ASCII in names and the subject, and writes domains in A-labels', async () => {
    const composed = await compose({ to: 'Zażółć <z@żółw.test>', subject: 'Żółć' });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the ASCII range.
    expect(headerOf(composed)).toMatch(/^[\u0000-\u007f]*$/);
    expect(composed.envelope.to).toEqual(['z@xn--w-uga1v8h.test']);
  });

  it('attaches files by path, relative to the base directory, with their bytes as they are', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'report.pdf'), Buffer.from([0, 255, 13, 10, 46, 13, 10]));
    const { raw } = await compose(
      {
        attachments: [
          { path: 'report.pdf' },
          { path: join(directory.path, 'report.pdf'), filename: 'Żółw.bin' },
        ],
      },
      { baseDirectory: directory.path, attachmentsFrom: [directory.path] },
    );
    expect(raw.toString()).toContain('Content-Type: application/pdf; name=report.pdf');
    expect(raw.toString()).toContain(Buffer.from([0, 255, 13, 10, 46, 13, 10]).toString('base64'));
    expect(raw.toString()).toContain("filename*0*=utf-8''%C5%BB%C3%B3%C5%82w.bin");
  });

  it('attaches bytes that the message carries, line breaks in their base64 or not', async () => {
    const { raw } = await compose({
      attachments: [{ content: 'AP8N\nCi4N\nCg==', filename: 'report.pdf' }],
    });
    expect(raw.toString()).toContain('Content-Type: application/pdf; name=report.pdf');
    expect(raw.toString()).toContain(Buffer.from([0, 255, 13, 10, 46, 13, 10]).toString('base64'));
  });

  it('offers text and html as alternatives', async () => {
    const { raw } = await compose({ text: 'plain', html: '<p>rich</p>' });
    expect(raw.toString()).toMatch(/multipart\/alternative[\s\S]*text\/plain[\s\S]*text\/html/);
  });

  it('attaches what the html shows, by cid, and takes cid: in the text for text', async () => {
    const { raw } = await compose({
      html: '<img src="cid:a%2B1@x.test"> <img srcset="x.png 1x, cid:b 2x"> the scheme cid:c is for mail',
      attachments: [
        { content: '', filename: 'a.png', cid: 'a+1@x.test' },
        { content: '', filename: 'b.png', cid: 'b' },
      ],
    });
    expect(raw.toString()).toContain('Content-ID: <a+1@x.test>');
    expect(raw.toString()).toContain('Content-ID: <b>');
  });

  it('never fetches what a message names: html with addresses of files stays as it is', async () => {
    const { raw } = await compose({ html: '<img src="file:///etc/passwd">' });
    expect(raw.toString()).not.toContain('root:');
  });

  it('with redirect_all has that envelope alone and names the original recipients in a header', async () => {
    const composed = await compose({ bcc: 'hidden@x.test' }, { redirectAll: 'dev@example.org' });
    expect(composed.envelope.to).toEqual(['dev@example.org']);
    expect(headerOf(composed)).toContain('X-Tend-Redirected-From: bob@x.test, hidden@x.test');
  });

  it('is made before it expires, whatever the zone of the time', async () => {
    const { raw } = await compose({ expiresAt: '2026-11-22 11:00:01+01' });
    expect(raw.toString()).not.toMatch(/expire/i);
  });

  it('keeps every line within 998 bytes, however long the text and the headers', async () => {
    const long = 'x'.repeat(5000);
    const to = Array.from({ length: 200 }, (_, index) => `Somebody <somebody${index}@x.test>`);
    const { raw } = await compose({
      to,
      subject: `${'x'.repeat(900)} ${'ż'.repeat(900)} ${'word '.repeat(500)}`,
      text: long,
      html: long,
    });
    const lines = raw.toString('latin1').split('\r\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(998);
    expect(raw.toString('latin1')).not.toMatch(/[^\r]\n|\r[^\n]/);
  });
});

describe('a message is refused', () => {
  const line = 'x\r\nBcc: evil@e.test';
  const empty = { content: '', filename: 'a.png' };
  it.each<[string, Partial<MailMessage>, string, RegExp]>([
    [
      'a line break in the subject',
      { subject: line },
      'MAIL_MESSAGE_INVALID',
      /subject contains a line break/,
    ],
    ['a NUL in the subject', { subject: 'a\u0000b' }, 'MAIL_MESSAGE_INVALID', /control character/],
    [
      'a line break in a header',
      { headers: { 'X-A': line } },
      'MAIL_MESSAGE_INVALID',
      /"X-A" contains a line break/,
    ],
    [
      'a header name with a line break',
      { headers: { [`X-A: b\r\nBcc`]: 'e' } },
      'MAIL_MESSAGE_INVALID',
      /not a valid/,
    ],
    [
      'a header name with a colon',
      { headers: { 'Bcc:': 'e@e.test' } },
      'MAIL_MESSAGE_INVALID',
      /not a valid/,
    ],
    ['Bcc among the headers', { headers: { bcc: 'e@e.test' } }, 'MAIL_MESSAGE_INVALID', /cannot be set/],
    ['a second From', { headers: { FROM: 'e@e.test' } }, 'MAIL_MESSAGE_INVALID', /cannot be set/],
    [
      'Content-Type among the headers',
      { headers: { 'content-type': 'x/y' } },
      'MAIL_MESSAGE_INVALID',
      /cannot be set/,
    ],
    ['a line break in a recipient', { to: line }, 'MAIL_ADDRESS_INVALID', /in to /],
    ['a bad address in a list', { cc: ['a@x.test', 'nobody'] }, 'MAIL_ADDRESS_INVALID', /in cc\[1\]/],
    ['a bad sender', { from: 'nobody' }, 'MAIL_ADDRESS_INVALID', /in from/],
    [
      'that has expired',
      { expiresAt: '2026-11-22T10:00:00Z' },
      'MAIL_EXPIRED',
      /expired at 2026-11-22T10:00:00Z/,
    ],
    [
      'half a character in the text',
      { text: 'a\ud800' },
      'MAIL_MESSAGE_INVALID',
      /text is not valid Unicode/,
    ],
    [
      'a picture that is not attached',
      {
        html: '<img src=cid:logo><p style="background:url(cid:b%40x)">',
        attachments: [{ ...empty, cid: 'logo' }],
      },
      'MAIL_MESSAGE_INVALID',
      /html shows "cid:b%40x", and no attachment has that cid/,
    ],
    [
      'a picture without html',
      { attachments: [{ ...empty, cid: 'logo' }] },
      'MAIL_MESSAGE_INVALID',
      /"logo" is for html/,
    ],
    [
      'one cid for two',
      {
        html: '',
        attachments: [
          { ...empty, cid: 'a' },
          { ...empty, cid: 'a' },
        ],
      },
      'MAIL_MESSAGE_INVALID',
      /Two attachments have the cid "a"/,
    ],
    [
      'an attachment from the database, where there is none',
      { attachments: [{ attachment: 1 }] },
      'MAIL_MESSAGE_INVALID',
      /lies in the database/,
    ],
    ['two senders', { from: 'a@x.test, b@x.test' }, 'MAIL_ADDRESS_INVALID', /in from/],
    ['nobody to send to', { to: [] }, 'MAIL_MESSAGE_INVALID', /no recipient/],
    [
      'an attachment from where none may come',
      { attachments: [{ path: '/etc/hosts' }] },
      'MAIL_MESSAGE_INVALID',
      /"\/etc\/hosts" was not read: \[mail\] attachments_from/,
    ],
    [
      'a subject that cannot be folded',
      { subject: 'x'.repeat(901) },
      'MAIL_MESSAGE_INVALID',
      /word of more than 900/,
    ],
    [
      'an attachment name with a line break',
      { attachments: [{ content: '', filename: line }] },
      'MAIL_MESSAGE_INVALID',
      /line break/,
    ],
    [
      'more than 50 MiB of attachments',
      {
        attachments: ['a', 'b'].map((filename) => ({
          content: Buffer.alloc(26 << 20).toString('base64'),
          filename,
        })),
      },
      'MAIL_MESSAGE_INVALID',
      /larger than 50 MiB together \(at "b"\)/,
    ],
    [
      'a path as attachment name',
      { attachments: [{ content: '', filename: '../a' }] },
      'MAIL_MESSAGE_INVALID',
      /slash/,
    ],
  ])('%s', async (_, message, code, text) => {
    await expect(compose(message)).rejects.toThrowError(
      expect.objectContaining({ code, isPermanent: true, message: expect.stringMatching(text) }),
    );
  });

  it('without any content', async () => {
    const message = { to: 'bob@x.test', subject: 'Hello' };
    await expect(compose({}, { message })).rejects.toThrowError('The message is empty');
  });

  it('without a sender, as a matter of configuration', async () => {
    const message = { to: 'bob@x.test', subject: 'Hello', text: 'x' };
    await expect(compose({}, { message, defaultFrom: undefined })).rejects.toThrowError(
      expect.objectContaining({ code: 'MAIL_NOT_CONFIGURED', isPermanent: false }),
    );
  });
});
