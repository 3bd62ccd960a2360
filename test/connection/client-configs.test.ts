import { describe, expect, test } from 'vitest';
import { toClientConfigs } from '../../src/connection/client-configs.ts';
import type { ConnectionSettings } from '../../src/connection/settings.ts';

const settings: ConnectionSettings = {
  servers: [{ host: 'db', port: 5432, password: 'pw' }],
  database: 'cms',
  user: 'me',
  sslMode: 'prefer',
  targetSessionAttrs: 'any',
  connectTimeoutMs: 1500,
  origin: 'tend.toml',
};

describe('sslmode decides which ways are tried, in order', () => {
  test.each([
    ['disable', [false]],
    ['allow', [false, true]],
    ['prefer', [true, false]],
    ['require', [true]],
  ] as const)('%s', (sslMode, expected) => {
    const configs = toClientConfigs({ ...settings, sslMode });
    expect(configs.map(({ ssl }) => ssl !== false)).toEqual(expected);
  });

  test('on a unix socket there is no TLS', () => {
    const servers: ConnectionSettings['servers'] = [{ host: '/run/pg', port: 5432 }];
    expect(toClientConfigs({ ...settings, servers, sslMode: 'verify-full' })).toMatchObject([{ ssl: false }]);
  });
});

test('a server that asks for a password nobody has is told apart from a wrong one', async () => {
  const [config] = toClientConfigs({ ...settings, servers: [{ host: 'db', port: 5432 }] });
  const password = config?.password;
  await expect(typeof password === 'function' ? password() : undefined).rejects.toMatchObject({
    name: 'MissingPasswordError',
    message: 'The server at db:5432 asks for a password of "me"; tend.toml has none.',
  });
});

describe('certificates that are needed and cannot be had are named', () => {
  test.each([
    [{ sslMode: 'verify-full' }, 'sslmode=verify-full needs a root certificate'],
    [
      { sslMode: 'verify-ca', sslRootCert: '/nonexistent/ca' },
      '"/nonexistent/ca" (sslrootcert) cannot be read (ENOENT)',
    ],
    [{ sslMode: 'require', sslCert: '/nonexistent/c', sslKey: '/nonexistent/k' }, '(sslcert) cannot be read'],
    [
      { sslMode: 'require', sslCert: '/etc/hostname' },
      'there is a client certificate (sslcert) but no sslkey',
    ],
  ] as const)('%o', (tls, problem) => {
    expect(() => toClientConfigs({ ...settings, ...tls })).toThrow(problem);
  });
});
