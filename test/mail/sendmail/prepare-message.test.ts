import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitAddressList } from '../../../src/mail/addresses/split-address-list.ts';
import { prepareMessage } from '../../../src/mail/sendmail/prepare-message.ts';
import { parseSendmailArguments } from '../../../src/mail/sendmail/sendmail-arguments.ts';

const clock = { now: () => new Date('2026-11-22T10:00:00Z'), monotonicMs: () => 0 };

function prepare(
  words: string,
  input: string | Buffer,
  more: { defaultFrom?: string; redirectAll?: string; aliases?: Record<string, string | string[]> } = {},
) {
  const prepared = prepareMessage({
    request: parseSendmailArguments(words.split(' ').filter(Boolean)),
    input: Buffer.from(input),
    defaultFrom: 'CMS <cms@example.org>',
    redirectAll: undefined,
    aliases: {},
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
    expect(header).toContain('From: "Cron Daemon" <root@example.org>\r\nTo: root@example.org\r\n');
    expect(header).toContain('\r\nContent-Transfer-Encoding: 8bit');
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
    expect(raw.toString()).not.toMatch(/hidden|^bcc/im);
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
    expect(header).toMatch(
      /^From: cms@example.org\r\nTo: undisclosed-recipients:;\r\nDate: .*\r\nMessage-ID: .*$/,
    );
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

  it.each<[string, string, Record<string, string | string[]>, string[]]>([
    ['root', '', { root: 'ops@example.net' }, ['ops@example.net']],
    ['ROOT', '', { root: ['a@x.test', 'Bob <b@x.test>'] }, ['a@x.test', 'b@x.test']],
    ['www-data', '', { root: 'ops@example.net', '*': 'all@example.net' }, ['all@example.net']],
    ['-t', 'To: root, a@x.test', { root: 'ops@example.net' }, ['ops@example.net', 'a@x.test']],
    ['root@example.org', '', { root: 'ops@example.net' }, ['root@example.org']],
    ['constructor', '', {}, ['constructor@example.org']],
  ])('to %j (%j) with the aliases %j goes to %j', (words, header, aliases, expected) => {
    expect(prepare(words, `${header}\nSubject: s\n\nHi\n`, { aliases }).envelope.to).toEqual(expected);
  });

  it('that is sent on goes to the readers of Resent-To, and not once more to its first ones', () => {
    const input = 'To: first@x.test\nResent-To: a@x.test\nResent-Bcc: b@x.test\nSubject: s\n\nHi\n';
    const { envelope, header } = prepare('-t', input);
    expect(envelope.to).toEqual(['a@x.test', 'b@x.test']);
    expect(header).toMatch(/^To: first@x.test\r\nResent-To: a@x.test\r\nSubject/);
    expect(header).not.toContain('b@x.test');
  });

  it.each([
    ['From: root', 'From: root@example.org'],
    ['From: "Cron" <root>', 'From: "Cron" <root@example.org>'],
    ['From: Żółw <root>', 'From: =?UTF-8?B?xbvDs8WCdw==?= <root@example.org>'],
    ['From: root (Anacron)', 'From: "Anacron" <root@example.org>'],
    ['From: a@x.test (Bob)', 'From: a@x.test (Bob)'],
    ['To: root, www-data, a@x.test', 'To: root@example.org, www-data@example.org, a@x.test'],
    ['To: "a, b" <c@x.test>, root', 'To: "a, b" <c@x.test>, root'],
    ['Subject: Zażółć gęślą jaźń', 'Subject: =?UTF-8?B?WmHFvMOzxYLEhyBnxJnFm2zEhSBqYcW6xYQ=?='],
    [
      'To: Żółw Łódź <a@x.test>, "Smith, Jörg" <b@x.test>',
      'To: =?UTF-8?B?xbvDs8WCdyDFgcOzZMW6?= <a@x.test>, =?UTF-8?B?U21pdGgsIErDtnJn?= <b@x.test>',
    ],
    ['To: żółw@x.test', 'To: żółw@x.test'],
    ['X-Note: plain\n folded', 'X-Note: plain\r\n folded'],
  ])('with %j has the header %j', (given, expected) => {
    expect(prepare('a@x.test', `Message-ID: <1@x.test>\n${given}\n\nHi\n`).header).toContain(
      `\r\n${expected}\r\n`,
    );
  });

  it('with a long subject beyond ASCII has lines that every server takes, and no character cut', () => {
    const subject = 'zażółć gęślą jaźń '.repeat(20).trim();
    const { header } = prepare('a@x.test', `Subject: ${subject}\n\nHi\n`);
    const lines = header.split('\r\n').filter((line) => line.includes('=?UTF-8?B?'));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(90);
    const words = lines.flatMap((line) => /=\?UTF-8\?B\?(.*)\?=/.exec(line)?.[1] ?? []);
    expect(words.map((word) => Buffer.from(word, 'base64').toString()).join('')).toBe(subject);
  });

  it('beyond ASCII that declares nothing is declared', () => {
    expect(prepare('a@x.test', 'Subject: s\n\nżółw\n').header).toMatch(
      /MIME-Version: 1.0\r\nContent-Type: text\/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit$/,
    );
    const odd = prepare('a@x.test', Buffer.from('Subject: \xb1\n\n\xb1\n', 'latin1'));
    expect(odd.header).toContain('Subject: =?unknown-8bit?B?sQ==?=');
    expect(odd.header).toContain('charset=unknown-8bit');
  });

  it('with lines that no server need take is wrapped, and reads the same', () => {
    const line = 'ż = '.repeat(600);
    const { header, body } = prepare(
      'a@x.test',
      `Subject: s\nContent-Transfer-Encoding: 8bit\n\n${line}\nshort\n`,
    );
    expect(header.match(/^Content-Transfer-Encoding: .*$/gm)).toEqual([
      'Content-Transfer-Encoding: quoted-printable',
    ]);
    expect(Math.max(...body.split('\r\n').map(({ length }) => length))).toBeLessThanOrEqual(76);
    const bytes = body
      .replaceAll('=\r\n', '')
      .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
    expect(Buffer.from(bytes, 'latin1').toString()).toBe(`${line}\r\nshort\r\n`);
  });

  it.each([
    ['multipart/mixed; boundary=b', '7bit'],
    ['text/plain', 'base64'],
    ['application/pdf', 'binary'],
  ])('of type %s in %s keeps its body', (type, encoding) => {
    const body = `${'a'.repeat(2000)}\0`;
    const input = `Content-Type: ${type}\nContent-Transfer-Encoding: ${encoding}\n\n${body}\n`;
    expect(prepare('a@x.test', input).body).toBe(`${body}\r\n`);
  });

  it('with NULs in its text loses them, and an mbox line, and a Message-ID that is none', () => {
    const { header, body } = prepare(
      'a@x.test',
      'From root Sun Nov 22\nSubject: a\0b\nMessage-ID: none\n\nx\0y\n',
    );
    expect([body, header.match(/^Message-ID: .*$/gm)]).toEqual([
      'xy\r\n',
      [expect.stringContaining('@example.org>')],
    ]);
    expect(header).toMatch(/^Subject: a b\r\n/);
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
    ['g: a@x.test, b@x.test; h: c@x.test;, d@x.test', ['a@x.test', 'b@x.test', 'c@x.test', 'd@x.test']],
    ['"evil@e.test": a@x.test;', ['a@x.test']],
    ['a@x.test (\\) b@e.test)', ['a@x.test']],
    ['a@x.test; b@x.test', ['a@x.test', 'b@x.test']],
  ])('%j', (value, expected) => {
    expect(splitAddressList(value)).toEqual(expected);
  });
});

describe('a list of addresses that can be read in two ways', () => {
  it.each([
    ['<a@x.test><b@x.test>'],
    ['Bob <a@x.test> b@x.test'],
    ['a@x.test b@x.test'],
    ['a@x.test: b@x.test;'],
    ['g: h: b@x.test;;'],
    ['a@x.test (unclosed, b@x.test'],
    ['"unclosed, a@x.test'],
    ['<a@x.test, b@x.test'],
    ['<@relay.test:a@x.test>'],
    ['a@x.test, =?utf-8?q?b=40e.test=2C?=@x.test'],
    ['('.repeat(100_000)],
  ])('is refused, and nobody is left out in silence: %s', (value) => {
    expect(() => prepare('-t', `To: ${value}\nSubject: s\n\nHi\n`)).toThrowError(
      expect.objectContaining({ code: 'MAIL_ADDRESS_INVALID' }),
    );
  });

  it('names each recipient once, whatever the case of its domain', () => {
    const input = 'To: Bob@x.test, <Bob@X.TEST>, bob@x.test\nCc: b@żółw.test, b@xn--w-uga1v8h.test\n\nHi\n';
    expect(prepare('-t', input).envelope.to).toEqual(['Bob@x.test', 'bob@x.test', 'b@xn--w-uga1v8h.test']);
  });
});
