import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prepareMessage } from '../../src/mail/prepare-message.ts';
import { parseSendmailArguments } from '../../src/mail/sendmail-arguments.ts';
import { splitAddressList } from '../../src/mail/split-address-list.ts';

const clock = { now: () => new Date('2026-11-22T10:00:00Z'), monotonicMs: () => 0 };

function prepare(
  words: string,
  input: string | Buffer,
  more: { defaultFrom?: string; redirectAll?: string } = {},
) {
  const prepared = prepareMessage({
    request: parseSendmailArguments(words.split(' ').filter(Boolean)),
    input: Buffer.from(input),
    defaultFrom: 'CMS <cms@example.org>',
    redirectAll: undefined,
    hostName: 'web1.example.net',
    userName: 'www-data',
    clock,
    ...more,
  });
  const end = prepared.raw.indexOf('\r\n\r\n');
  return {
    ...prepared,
    header: prepared.raw.subarray(0, end).toString(),
    body: prepared.raw.subarray(end + 4).toString(),
  };
}

describe('a message on standard input', () => {
  it('of Debian’s cron goes to a qualified recipient with a qualified sender', () => {
    const input =
      'From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@web1> df\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nX-Cron-Env: <SHELL=/bin/sh>\n\nżółw\n';
    const { envelope, header, body, messageId } = prepare('-i -FCronDaemon -B8BITMIME -oem root', input);
    expect(envelope).toEqual({ from: 'cms@example.org', to: ['root@example.org'] });
    expect(header).toContain('From: "CronDaemon" <root@example.org>\r\n');
    expect(header).toContain('\r\nX-Cron-Env: <SHELL=/bin/sh>\r\n');
    expect(header).toContain('\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n');
    expect(header).toContain(`\r\nMessage-ID: ${messageId}`);
    expect(body).toBe('żółw\r\n');
  });

  it('with -t takes To, Cc and Bcc, and blind copies leave the data', () => {
    const input =
      'To: "Smith, J" <a@x.test>,\n b@x.test (with, a comment)\nCc: team: c@x.test, =?utf-8?q?D?= <d@x.test>;\nBCC: hidden@x.test,\n\thidden2@x.test\nSubject: s\n\nHi\n';
    const { envelope, raw } = prepare('-t -i extra@x.test', input);
    expect(envelope.to).toEqual([
      'extra@x.test',
      'a@x.test',
      'b@x.test',
      'c@x.test',
      'd@x.test',
      'hidden@x.test',
      'hidden2@x.test',
    ]);
    expect(raw.toString()).not.toMatch(/hidden|bcc/i);
  });

  it('without -t still loses its blind copies', () => {
    expect(prepare('a@x.test', 'Bcc: hidden@x.test\nSubject: s\n\nHi\n').raw.toString()).not.toMatch(
      /hidden/,
    );
  });

  it.each([
    ['-i a@x.test', 'one\r\n.\r\ntwo\r\n'],
    ['a@x.test', 'one\r\n'],
  ])('%s ends at a lone dot or not', (words, expected) => {
    expect(prepare(words, 'Subject: s\n\none\n.\ntwo\n').body).toBe(expected);
  });

  it('without any header is all body', () => {
    const { header, body } = prepare('a@x.test', 'just text\nmore\n');
    expect(header).toMatch(/^From: cms@example.org\r\nDate: .*\r\nMessage-ID: .*$/);
    expect(body).toBe('just text\r\nmore\r\n');
  });

  it('keeps its own Message-ID and Date', () => {
    const { header, messageId } = prepare(
      'a@x.test',
      'Message-Id: <own@x.test>\nDate: Sun, 1 Nov 2026 00:00:00 +0100\n\nHi\n',
    );
    expect(messageId).toBe('<own@x.test>');
    expect(header.match(/^(Message-ID|Date):/gim)).toHaveLength(2);
  });

  it.each([
    ['-f bounce@x.test', 'bounce@x.test'],
    ['-f <>', ''],
    ['-f root', 'cms@example.org'],
    ['', 'cms@example.org'],
  ])('with %j has the envelope sender %j', (words, sender) => {
    expect(prepare(`${words} a@x.test`, 'Subject: s\n\nHi\n').envelope.from).toBe(sender);
  });

  it('goes only to redirect_all where that is set', () => {
    const { envelope, header } = prepare('a@x.test', 'Subject: s\n\nHi\n', {
      redirectAll: 'dev@example.org',
    });
    expect(envelope.to).toEqual(['dev@example.org']);
    expect(header).toContain('X-Tend-Redirected-From: a@x.test');
  });

  it('cannot smuggle a header or the end of the message past a bare CR', () => {
    const { body, header, envelope } = prepare(
      '-i a@x.test',
      'To: a@x.test\rBcc: evil@e.test\n\nx\r.\rMAIL FROM:<evil@e.test>\n',
    );
    expect(envelope.to).toEqual(['a@x.test']);
    expect(header).toContain('To: a@x.test Bcc: evil@e.test\r\n');
    expect(body).toBe('x\r\n.\r\nMAIL FROM:<evil@e.test>\r\n');
  });

  it('with an address that is none is refused', () => {
    expect(() => prepare('-t', 'To: not an address\n\nHi\n')).toThrowError(
      expect.objectContaining({ code: 'MAIL_ADDRESS_INVALID' }),
    );
    expect(() => prepare('-t', 'Subject: s\n\nHi\n')).toThrowError(
      expect.objectContaining({ code: 'USAGE' }),
    );
  });

  it('whatever its bytes, has lines that end in CRLF only, and no blind copy among its headers', () => {
    const piece = fc.constantFrom(
      'Bcc: h@x.test',
      'To: a@x.test',
      '\n',
      '\r',
      '\r\n',
      ' ',
      '\t',
      '.',
      'text',
      ':',
      '\0',
      'From: x',
      'ż',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const { raw, header } = prepare('-i a@x.test', pieces.join(''));
        expect(raw.toString('latin1')).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
        expect(header).not.toMatch(/^bcc/im);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('splitAddressList', () => {
  it.each([
    ['a@x.test', ['a@x.test']],
    ['', []],
    ['a@x.test,,b@x.test,', ['a@x.test', 'b@x.test']],
    ['"a, b" <c@x.test>', ['c@x.test']],
    ['"a \\" , b" <c@x.test>', ['c@x.test']],
    ['undisclosed-recipients:;', []],
    ['b@[IPv6:::1], c@x.test', ['b@[IPv6:::1]', 'c@x.test']],
    ['a (x (nested, deep)) <a@x.test>', ['a@x.test']],
    ['<a@x.test>, <b@x.test>', ['a@x.test', 'b@x.test']],
  ])('%j', (value, expected) => {
    expect(splitAddressList(value)).toEqual(expected);
  });
});
