import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/report/doctor/doctor-check.ts';
import { createAuthority } from '../../support/certificates.ts';
import { startDnsServer } from '../../support/dns-server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { createQueue, type Queue } from '../../tasks/support/queue.ts';
import { checkFacts, makeCheck } from '../support/check-facts.ts';

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => await directory[Symbol.asyncDispose]());

describe('disk-space', () => {
  let queue: Queue;
  beforeAll(async () => {
    queue = await createQueue();
  });
  afterAll(async () => await queue[Symbol.asyncDispose]());
  const check = async (path: string): Promise<Finding> =>
    await makeCheck(
      'disk-space',
      checkFacts({
        ...{ settings: { backup: { directory: path } }, db: queue.db },
        connection: { ...queue.database.connection, servers: [{ host: 'elsewhere.invalid', port: 1 }] },
      }),
    );

  it('is red where the newest backup would not go there once more', async () => {
    await queue.database.query(
      `insert into tend.backups (id, host, directory, database_name, started_at, finished_at, bytes, sha256, manifest)
       values ('x', 'web1', '/x', current_database(), now(), now(), 1, 'x', $1)`,
      [JSON.stringify({ parts: [{ holds: 'database', uncompressedBytes: 1e18 }] })],
    );
    const finding = await check(directory.path);
    await queue.database.query('truncate tend.backups');
    expect(finding).toEqual({
      status: 'fail',
      text: expect.stringMatching(new RegExp(`are free in ${directory.path}, which holds the backups$`)),
      fix: 'tend backup prune --dry-run, then a smaller [backup] keep, or a larger disk',
    });
  });

  it.skipIf(process.getuid?.() !== 0)('is yellow below a tenth, and red below 3 %', async () => {
    await using disk = await temporaryDirectory();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=10m,mode=777', 'tmpfs', disk.path]);
    try {
      expect((await check(disk.path)).status).toBe('ok');
      writeFileSync(join(disk.path, 'a'), Buffer.alloc(9.5 * 1024 ** 2));
      expect(await check(disk.path)).toMatchObject({
        status: 'warn',
        text: expect.stringMatching(/\([3-9] %\) are free/),
        fix: expect.stringMatching(/^tend backup prune --dry-run, /),
      });
      writeFileSync(join(disk.path, 'b'), Buffer.alloc(0.3 * 1024 ** 2));
      expect(await check(disk.path)).toMatchObject({ status: 'fail' });
    } finally {
      execFileSync('umount', [disk.path]);
    }
  });
});

describe('app', () => {
  const check = async (status: number, settings: Record<string, unknown> = {}): Promise<Finding> => {
    await using server = await listening(createServer((_, response) => response.writeHead(status).end('no')));
    const app = { check: { url: `http://127.0.0.1:${server.port}/health` }, ...settings };
    return await makeCheck('app', checkFacts({ settings: { app } }));
  };

  it('that answers well is green', async () => {
    expect(await check(200)).toEqual({ status: 'ok', text: 'the application is healthy' });
  });

  it('that answers badly is red, and the fix restarts it where tend can', async () => {
    expect(await check(500, { restart: ['true'] })).toEqual({
      ...{ status: 'fail', text: expect.stringMatching(/500/), fix: 'tend app restart' },
    });
    expect(await check(500)).toMatchObject({ status: 'fail', fix: 'Look at its log, then: tend app check' });
  });

  it('that is restarted and never checked is yellow', async () => {
    expect(await makeCheck('app', checkFacts({ settings: { app: { restart: ['true'] } } }))).toMatchObject({
      status: 'warn',
      fix: '[app] check = { url = "http://127.0.0.1:8000/health" } in tend.toml',
    });
  });
});

describe('dkim', () => {
  const name = 'tend._domainkey.example.org';
  const [own, other] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
  const published = (key: KeyObject): string =>
    key.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
  const wanted = `v=DKIM1; k=ed25519; p=${published(own.publicKey)}`;
  const check = async (record: string[] | 'refused' | undefined): Promise<Finding> => {
    const file = join(directory.path, 'dkim.pem');
    writeFileSync(file, own.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await using dns = await startDnsServer(new Map(record === undefined ? [] : [[name, record]]));
    const dkim = { domain: 'example.org', selector: 'tend', key_file: file };
    const facts = checkFacts({ settings: { mail: { dkim } } });
    return await makeCheck('dkim', { ...facts, dnsServers: [dns.address] });
  };
  const publish = `Publish the TXT record ${name}: ${wanted}`;

  it('is green where the key is in DNS, also in parts and with blanks', async () => {
    const ok = { status: 'ok', text: `the key is at ${name}` };
    expect(await check([wanted])).toEqual(ok);
    expect(await check([`${wanted.slice(0, 40)} `, wanted.slice(40)])).toEqual(ok);
  });

  it.each<[what: string, record: string[] | undefined, text: string]>([
    ['is not there', undefined, 'is not in DNS'],
    ['is another one', [`v=DKIM1; k=ed25519; p=${published(other.publicKey)}`], 'holds another key'],
    ['has been revoked', ['v=DKIM1; k=ed25519; p='], 'says that the key has been revoked (p= is empty)'],
  ])('is red where the record %s, with the record to publish', async (_what, record, text) => {
    expect(await check(record)).toEqual({
      ...{ status: 'fail', fix: publish, text: `${name} ${text}: receivers find every signature bad` },
    });
  });

  it('is yellow where nobody answers for DNS, with the command for elsewhere', async () => {
    expect(await check('refused')).toEqual({
      status: 'warn',
      text: `${name} cannot be looked up from here: EREFUSED`,
      fix: `Look it up elsewhere: dig +short TXT ${name}`,
    });
  });
});

describe('mail-handshake', () => {
  /** A server that knows `user` with the password `right`, and the URL of it for `login`. */
  const check = async (given: {
    options: SMTPServerOptions;
    url(port: number): string;
    caFile?: string;
  }): Promise<Finding> => {
    const server = new SMTPServer({
      onAuth(auth, _session, done) {
        if (auth.password === 'right') return done(null, { user: 'user' });
        done(Object.assign(new Error('Authentication failed'), { responseCode: 535 }));
      },
      ...given.options,
    });
    server.on('error', () => {}); // a client that turns away in the middle of TLS
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', () => resolve()));
    const address = server.server.address();
    try {
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
      const mail = { url: given.url(port), ...(given.caFile !== undefined && { tls_ca_file: given.caFile }) };
      return await makeCheck('mail-handshake', checkFacts({ settings: { mail } }));
    } finally {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  };
  const local = (login: string) => (port: number) => `smtp://${login}localhost:${port}`;

  it('is green where a server lets us in', async () => {
    expect(await check({ options: {}, url: local('user:right@') })).toEqual({
      ...{ status: 'ok', text: 'let in by "default"' },
    });
  });

  it('is red where the password is wrong, and does not show it', async () => {
    const finding = await check({ options: {}, url: local('user:canary-secret@') });
    expect(finding).toEqual({
      status: 'fail',
      text: expect.stringMatching(/^"default": The mail server localhost:\d+ refused us: 535/),
      fix: 'Check the user and password in tend.toml: [mail] url.',
    });
    expect(JSON.stringify(finding)).not.toContain('canary-secret');
  });

  it('is red where the certificate has expired, and says how to see until when it held', async () => {
    const authority = createAuthority(directory.path, 'mail');
    const issued = { name: 'old', commonName: 'localhost', dnsName: 'localhost', days: -1 };
    const { certificate: cert, key } = authority.issue(issued);
    const expired = await check({
      options: { secure: true, cert, key, authOptional: true },
      url: (port) => `smtps://localhost:${port}`,
      caFile: authority.certificatePath,
    });
    expect(expired).toEqual({
      status: 'fail',
      text: expect.stringMatching(/was not used: its certificate cannot be trusted: .*expired/),
      fix: expect.stringMatching(
        /^Its operator renews it; until when it holds: openssl s_client -connect localhost:\d+ <\/dev\/null \| openssl x509 -noout -enddate$/,
      ),
    });
  });

  it('is red where a server that is not on this host offers no TLS', async ({ skip }) => {
    const addresses = Object.values(networkInterfaces()).flat();
    const outer = addresses.find((one) => one?.family === 'IPv4' && !one.internal)?.address;
    skip(outer === undefined, 'this host has no address but loopback');
    const plain = { hideSTARTTLS: true, disabledCommands: ['STARTTLS'], authOptional: true };
    expect(await check({ options: plain, url: (port) => `smtp://${outer}:${port}` })).toEqual({
      status: 'fail',
      text: expect.stringMatching(/was not used: .*STARTTLS/),
      fix: `Where it speaks TLS from the first byte: [mail] url = "smtps://${outer}" in tend.toml`,
    });
  });

  it('is red where something answers that is no mail server', async () => {
    await using server = await listening(
      createNetServer((socket) => void socket.end('HTTP/1.0 400 no\r\n\r\n')),
    );
    const mail = { url: `smtp://localhost:${server.port}` };
    expect(await makeCheck('mail-handshake', checkFacts({ settings: { mail } }))).toMatchObject({
      status: 'fail',
      fix: expect.any(String),
    });
  });
});

async function listening(server: Server): Promise<AsyncDisposable & { port: number }> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port, // not a pipe
    [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
