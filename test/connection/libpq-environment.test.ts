import { expect, test } from 'vitest';
import { toLibpqEnvironment } from '../../src/connection/libpq-environment.ts';
import type { ConnectionSettings } from '../../src/connection/settings.ts';

const settings: ConnectionSettings = {
  servers: [{ host: 'a', port: 5432, password: 'pw' }],
  database: 'cms',
  user: 'me',
  sslMode: 'prefer',
  targetSessionAttrs: 'any',
  connectTimeoutMs: 1500,
  origin: 'test',
};

test('everything is said explicitly, and files of libpq are out of the way', () => {
  expect(toLibpqEnvironment(settings)).toEqual({
    PGHOST: 'a',
    PGPORT: '5432',
    PGDATABASE: 'cms',
    PGUSER: 'me',
    PGPASSWORD: 'pw',
    PGPASSFILE: '/dev/null/none',
    PGSERVICEFILE: '/dev/null/none',
    PGSSLMODE: 'prefer',
    PGGSSENCMODE: 'disable',
    PGTARGETSESSIONATTRS: 'any',
    PGCONNECT_TIMEOUT: '2',
  });
});

test('another database of the same server', () => {
  expect(toLibpqEnvironment(settings, { database: 'postgres' })).toMatchObject({ PGDATABASE: 'postgres' });
});

test('several servers become lists', () => {
  const env = toLibpqEnvironment({
    ...settings,
    servers: [
      { host: 'a', port: 1 },
      { host: 'b', address: '10.0.0.2', port: 2 },
    ],
  });
  expect(env).toMatchObject({ PGHOST: 'a,b', PGHOSTADDR: ',10.0.0.2', PGPORT: '1,2' });
  expect(env).not.toHaveProperty('PGPASSWORD');
});

test('passwords that differ from server to server are left to the password file', () => {
  const env = toLibpqEnvironment({
    ...settings,
    passFile: '/home/me/.pgpass',
    servers: [
      { host: 'a', port: 1, password: 'one' },
      { host: 'b', port: 2, password: 'two' },
    ],
  });
  expect(env).toMatchObject({ PGPASSFILE: '/home/me/.pgpass' });
  expect(env).not.toHaveProperty('PGPASSWORD');
});
