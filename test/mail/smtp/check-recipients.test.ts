import { SMTPServer } from 'smtp-server';
import { describe, expect, it } from 'vitest';
import type { SmtpTransport } from '../../../src/mail/servers/mail-transport.ts';
import { checkRecipients } from '../../../src/mail/smtp/check-recipients.ts';
import { type ScriptedSmtpServerOptions, scriptedSmtpServer } from '../scripted-smtp-server.ts';

async function check(port: number, more: { transport?: Partial<SmtpTransport>; to?: string[] } = {}) {
  return await checkRecipients({
    transport: {
      ...{ type: 'smtp', host: '127.0.0.1', port, security: 'loopback', credentials: undefined },
      ...{ caFile: undefined, timeoutMs: 20_000 },
      ...more.transport,
    },
    from: 'cms@example.org',
    to: more.to ?? ['ann@x.test', 'bob@x.test', 'eve@x.test'],
    size: 1234,
    signal: new AbortController().signal,
  });
}

/** Asks a server that behaves as given; what it answered and what it was told. */
async function ask(options: ScriptedSmtpServerOptions, more: Parameters<typeof check>[1] = {}) {
  await using server = await scriptedSmtpServer(options);
  const checked = await check(server.port, more).catch((error: unknown) => ({ error }));
  return { checked, commands: server.commands, messages: server.messages };
}

describe('asking a mail server about recipients', () => {
  it('gives its answer about each, and takes it back before the message', async () => {
    const replies = {
      RCPT: (line: string) =>
        line.includes('bob')
          ? '550-5.1.1 no\r\n550 5.1.1 such user'
          : line.includes('eve')
            ? '451 later'
            : '250 Ok',
    };
    const { checked, commands, messages } = await ask({ replies });
    expect(checked).toEqual({
      server: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      tls: null,
      isLoggedIn: false,
      extensions: ['8BITMIME', 'SIZE 10000000'],
      recipients: [
        { address: 'ann@x.test', status: 'accepted', reply: '250 Ok' },
        { address: 'bob@x.test', status: 'refused', reply: '550-5.1.1 no 550 5.1.1 such user' },
        { address: 'eve@x.test', status: 'deferred', reply: '451 later' },
      ],
    });
    expect(commands.slice(1)).toEqual([
      'MAIL FROM:<cms@example.org> SIZE=1234',
      ...['ann', 'bob', 'eve'].map((name) => `RCPT TO:<${name}@x.test>`),
      ...['RSET', 'QUIT'],
    ]);
    expect(messages).toEqual([]);
  });

  it.each<[string, ScriptedSmtpServerOptions]>([
    ['MAIL_SERVER_REFUSED', { replies: { MAIL: '550 not you' } }],
    ['MAIL_SERVER_TEMPORARY', { replies: { MAIL: '451 later' } }],
    ['MAIL_SERVER_UNREACHABLE', { dropAt: 'RCPT' }],
    ['MAIL_SERVER_UNREACHABLE', { dropAt: 'greeting' }],
    ['MAIL_SERVER_UNREACHABLE', { replies: { RCPT: 'hello?' } }],
  ])('fails with %s where it gives none: %j', async (code, options) => {
    expect((await ask(options)).checked).toMatchObject({ error: { code } });
  });

  it('does not wait longer than the time-out', async () => {
    const { checked } = await ask({ silentAt: 'RCPT' }, { transport: { timeoutMs: 300 } });
    expect(checked).toMatchObject({ error: { code: 'MAIL_SERVER_UNREACHABLE' } });
  });

  it('refuses an address beyond ASCII for a server that does not take those', async () => {
    const { checked, commands } = await ask({}, { to: ['żółw@x.test'] });
    expect(checked).toMatchObject({ error: { code: 'MAIL_ADDRESS_INVALID' } });
    expect(commands.join()).not.toContain('MAIL');
  });

  it('says how the connection is protected, and whether it has logged in', async () => {
    const server = new SMTPServer({
      authOptional: true,
      onAuth: (_auth, _session, done) => done(null, { user: 'user' }),
    });
    server.on('error', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const address = server.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      const checked = await check(port, { transport: { credentials: { user: 'user', password: 'secret' } } });
      expect(checked).toMatchObject({
        isLoggedIn: true,
        // It has a certificate of its own making, which on this host will do.
        tls: { protocol: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_/), isVerified: false },
        recipients: [{ status: 'accepted' }, { status: 'accepted' }, { status: 'accepted' }],
      });
    } finally {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  });
});
