import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/log.ts';
import type { SmtpTransport } from '../../../src/mail/servers/mail-transport.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { deliverOnce } from '../support/deliver-once.ts';

let directory: TemporaryDirectory;
let tls: { key: Buffer; cert: Buffer };

beforeAll(async () => {
  directory = await temporaryDirectory();
  const [key, cert] = [join(directory.path, 'key.pem'), join(directory.path, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const form = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  await promisify(execFile)('openssl', ['req', ...form, ...subject, '-keyout', key, '-out', cert]);
  tls = { key: await readFile(key), cert: await readFile(cert) };
});
afterAll(async () => await directory[Symbol.asyncDispose]());

interface Seen {
  logins: { user: string; method: string; isSecure: boolean }[];
  messages: { raw: string; isSecure: boolean; user: string | undefined }[];
}

/** A real server that knows `user` with the password `p@ss:wörd/%`. */
async function startServer(options: SMTPServerOptions): Promise<Seen & AsyncDisposable & { port: number }> {
  const seen: Seen = { logins: [], messages: [] };
  const server = new SMTPServer({
    authOptional: true,
    ...tls,
    onAuth(auth, session, done) {
      seen.logins.push({ user: auth.username ?? '', method: auth.method, isSecure: session.secure });
      if (auth.username === 'user' && auth.password === 'p@ss:wörd/%') return done(null, { user: 'user' });
      done(Object.assign(new Error('Authentication failed'), { responseCode: 535 }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        seen.messages.push({
          raw: Buffer.concat(chunks).toString(),
          isSecure: session.secure,
          user: session.user,
        });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {}); // a client that turns away in the middle of TLS
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    ...seen,
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function attempt(port: number, transport: Partial<SmtpTransport>) {
  const outcome = await deliverOnce({
    transport: {
      type: 'smtp',
      host: 'localhost',
      port,
      security: 'starttls',
      credentials: undefined,
      caFile: undefined,
      timeoutMs: 20_000,
      ...transport,
    },
    from: 'a@x.test',
    to: ['b@x.test'],
    raw: Buffer.from('Subject: s\r\n\r\nHi\r\n'),
    beforeEnd: async () => {},
    signal: new AbortController().signal,
    log: silentLog,
  });
  return outcome.state === 'not-delivered'
    ? `${outcome.error.code}: ${outcome.error.message}`
    : outcome.state;
}

const caFile = () => join(directory.path, 'cert.pem');
const credentials = { user: 'user', password: 'p@ss:wörd/%' };

describe('a server that is not on this host', () => {
  it('is sent to over STARTTLS with a certificate that is trusted', async () => {
    await using server = await startServer({});
    expect(await attempt(server.port, { caFile: caFile(), credentials })).toBe('answered');
    expect(server.messages).toEqual([{ raw: 'Subject: s\r\n\r\nHi\r\n', isSecure: true, user: 'user' }]);
  });

  it('is not sent to where its certificate is not trusted', async () => {
    await using server = await startServer({});
    expect(await attempt(server.port, { credentials })).toMatch(/^MAIL_SERVER_INSECURE: .*certificate/);
    expect(server).toMatchObject({ logins: [], messages: [] });
  });

  it('is not sent to where its certificate is for another name', async () => {
    await using server = await startServer({});
    expect(await attempt(server.port, { host: '127.0.0.1', caFile: caFile() })).toMatch(
      /^MAIL_SERVER_INSECURE: .*certificate/,
    );
    expect(server.messages).toEqual([]);
  });

  it('is not sent to where it offers no STARTTLS', async () => {
    await using server = await startServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] });
    expect(await attempt(server.port, { caFile: caFile(), credentials })).toMatch(
      /^MAIL_SERVER_INSECURE: .*STARTTLS/,
    );
    expect(server).toMatchObject({ logins: [], messages: [] });
  });

  it('is not sent to without the login that is configured, where it offers none', async () => {
    await using server = await startServer({ disabledCommands: ['AUTH'] });
    expect(await attempt(server.port, { caFile: caFile(), credentials })).toMatch(
      /^MAIL_SERVER_INSECURE: .*AUTH/,
    );
    expect(server.messages).toEqual([]);
  });

  it('may speak TLS from the first byte', async () => {
    await using server = await startServer({ secure: true });
    expect(await attempt(server.port, { security: 'tls', caFile: caFile(), credentials })).toBe('answered');
    expect(await attempt(server.port, { security: 'tls' })).toMatch(/^MAIL_SERVER_INSECURE/);
  });

  it('refuses a wrong password: a matter of configuration, not of the message', async () => {
    await using server = await startServer({});
    const wrong = { user: 'user', password: 'canary-secret' };
    const outcome = await attempt(server.port, { caFile: caFile(), credentials: wrong });
    expect(outcome).toMatch(/^MAIL_SERVER_REFUSED: .*535/);
    expect(outcome).not.toContain('canary');
    expect(server.messages).toEqual([]);
  });

  it('that demands a login refuses us without one, for now', async () => {
    await using server = await startServer({ authOptional: false });
    expect(await attempt(server.port, { caFile: caFile() })).toMatch(/^MAIL_SERVER_REFUSED/);
  });

  it('cannot be used with a tls_ca_file that is not there', async () => {
    expect(await attempt(25, { caFile: '/nowhere.pem' })).toContain(
      'MAIL_NOT_CONFIGURED: The file "/nowhere.pem"',
    );
  });
});

describe('a server on this host', () => {
  it('may have a certificate of its own making', async () => {
    await using server = await startServer({});
    expect(await attempt(server.port, { security: 'loopback', credentials })).toBe('answered');
    expect(server.messages[0]?.isSecure).toBe(true);
  });

  it('may have no TLS at all, with a login too', async () => {
    await using server = await startServer({ hideSTARTTLS: true, allowInsecureAuth: true });
    expect(await attempt(server.port, { security: 'loopback', credentials })).toBe('answered');
    expect(server.messages[0]?.isSecure).toBe(false);
  });

  it('has its certificate checked where tls_ca_file says against what', async () => {
    await using server = await startServer({});
    expect(
      await attempt(server.port, { security: 'loopback', caFile: '/etc/ssl/certs/ca-certificates.crt' }),
    ).toMatch(/^MAIL_SERVER_INSECURE/);
  });
});

describe('login methods', () => {
  it.each(['PLAIN', 'LOGIN'])('%s', async (method) => {
    await using server = await startServer({ authMethods: [method] });
    expect(await attempt(server.port, { caFile: caFile(), credentials })).toBe('answered');
    expect(server.logins).toEqual([{ user: 'user', method, isSecure: true }]);
  });
});
