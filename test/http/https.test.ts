import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Authority, createAuthority } from '../support/certificates.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { call } from './support/call.ts';
import { type Answer, reply, startService } from './support/service.ts';

let directory: TemporaryDirectory;
let authority: Authority;
beforeAll(async () => {
  directory = await temporaryDirectory();
  authority = createAuthority(directory.path, 'ours');
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
});

const dnsName = 'service.invalid';
const resolveHost = async () => [{ address: '127.0.0.1', family: 4 }];

/** A service whose certificate is for `name`, as `service.invalid` reaches it. */
async function startTls(answers: Answer | Answer[], options: { name?: string; issuer?: Authority } = {}) {
  const { name = dnsName, issuer = authority } = options;
  const tls = issuer.issue({ name, commonName: name, dnsName: name });
  const service = await startService(answers, { tls });
  const place = `${dnsName}:${service.port}`;
  return Object.assign(service, { url: `https://${place}/`, place });
}

const trusted = () => ({ tls_ca_file: authority.certificatePath });

describe('a certificate', () => {
  it('of an authority that tls_ca_file names is trusted', async () => {
    await using service = await startTls(reply(200, 'hello'));
    const answer = await call(
      { url: service.url },
      { http: { allow: [service.place], ...trusted() }, resolveHost },
    );
    expect(answer.body.tail).toBe('hello');
    expect(service.received[0]?.headers.host).toBe(service.place);
  });

  it.each([undefined, '0'])(
    'of an unknown authority is not, NODE_TLS_REJECT_UNAUTHORIZED being %s',
    async (value) => {
      await using service = await startTls(reply(200));
      vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', value);
      try {
        await expect(
          call({ url: service.url }, { http: { allow: [service.place] }, resolveHost }),
        ).rejects.toMatchObject({
          ...{ code: 'HTTP_CERTIFICATE_INVALID', exitCode: 69, isPermanent: false },
          hint: expect.stringContaining('tls_ca_file'),
        });
      } finally {
        vi.unstubAllEnvs();
      }
      expect(service.received).toHaveLength(0);
    },
  );

  it('of another authority of the same name is not', async () => {
    const other = createAuthority(directory.path, 'theirs');
    await using service = await startTls(reply(200), { issuer: other });
    const called = call(
      { url: service.url },
      { http: { allow: [service.place], ...trusted() }, resolveHost },
    );
    await expect(called).rejects.toMatchObject({ code: 'HTTP_CERTIFICATE_INVALID' });
  });

  it('for another host is not', async () => {
    await using service = await startTls(reply(200), { name: 'other.invalid' });
    const called = call(
      { url: service.url },
      { http: { allow: [service.place], ...trusted() }, resolveHost },
    );
    await expect(called).rejects.toMatchObject({
      code: 'HTTP_CERTIFICATE_INVALID',
      message: expect.stringMatching(
        /^The certificate of "service\.invalid:\d+" is not trusted: .*other\.invalid/,
      ),
    });
    expect(service.received).toHaveLength(0);
  });
});

it('a service that does not speak TLS is unreachable', async () => {
  await using service = await startService(reply(200));
  const place = `${dnsName}:${service.port}`;
  const called = call({ url: `https://${place}/` }, { http: { allow: [place] }, resolveHost });
  await expect(called).rejects.toMatchObject({ code: 'HTTP_UNREACHABLE', isPermanent: false });
});

it('a file of authorities that cannot be read is an error of the configuration', async () => {
  await using service = await startTls(reply(200));
  const file = join(directory.path, 'none.pem');
  const http = { allow: [service.place], tls_ca_file: file };
  await expect(call({ url: service.url }, { http, resolveHost })).rejects.toMatchObject({
    ...{ code: 'CONFIG_INVALID', message: `The file "${file}" of [http] tls_ca_file cannot be read.` },
  });
});

describe('a redirect from https to http', () => {
  it('is refused, also to the same host', async () => {
    await using plain = await startService(reply(200));
    await using service = await startTls(reply(302, '', { location: `http://${dnsName}:${plain.port}/` }));
    const http = { allow: [service.place, dnsName, `${dnsName}:${plain.port}`], ...trusted() };
    await expect(call({ url: service.url }, { http, resolveHost })).rejects.toMatchObject({
      ...{ code: 'HTTP_NOT_ALLOWED', isPermanent: true },
      message: `The redirect to "http://${dnsName}:${plain.port}" is refused: it is not in [http] allow of tend.toml.`,
    });
    expect(plain.connections).toBe(0);
  });

  it('is followed where that is listed, without the headers of the configuration', async () => {
    await using plain = await startService(reply(200));
    await using service = await startTls(reply(302, '', { location: `http://${dnsName}:${plain.port}/` }));
    const http = {
      allow: [service.place, `http://${dnsName}:${plain.port}`],
      headers: { [service.place]: { Authorization: 'Bearer canary' } },
      ...trusted(),
    };
    await expect(call({ url: service.url }, { http, resolveHost })).resolves.toMatchObject({ status: 200 });
    expect(service.received[0]?.headers.authorization).toBe('Bearer canary');
    expect(plain.received[0]?.headers).not.toHaveProperty('authorization');
  });
});
