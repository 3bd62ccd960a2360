import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { SecretRegistry } from '../../src/redact.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => await directory[Symbol.asyncDispose]());

async function load(lines: string) {
  await writeFile(join(directory.path, 'tend.toml'), `[backup.remotes.offsite]\n${lines}\n`);
  const shared = { env: {}, configFlag: undefined, overrides: [], secrets: new SecretRegistry() };
  return loadConfig({ cwd: directory.path, ...shared });
}

const sftp = 'type = "sftp"\nhost = "backup.example.org"\nuser = "tend"\npath = "sets"\n';

test('each type has its keys and its defaults', async () => {
  const { config } = await load(`${sftp}key = "key"`);
  expect(config.backup.remotes['offsite']).toMatchObject({ type: 'sftp', port: 22, verify_upload: 'read' });
  const s3 = await load('type = "s3"\nbucket = "b"\nverify_upload = "size"');
  expect(s3.config.backup.remotes['offsite']).toEqual({ type: 's3', bucket: 'b', verify_upload: 'size' });
});

test.each([
  { lines: 'type = "ftp"', place: ':2: backup.remotes.offsite.type: one of "s3", "sftp" was expected' },
  { lines: 'type = "s3"', place: ':1: backup.remotes.offsite.bucket: this key is missing' },
  {
    lines: 'type = "s3"\nbucket = "b"\nhost = "h"',
    place: ':4: backup.remotes.offsite.host: this key does not belong to a remote of type "s3"',
  },
  {
    lines: `${sftp}key = "k"\nregion = "r"`,
    place: ':7: backup.remotes.offsite.region: this key does not belong to a remote of type "sftp"',
  },
  { lines: sftp, place: ':1: backup.remotes.offsite.key: this key is missing' },
  {
    lines: `${sftp}key = "k"\nport = 0`,
    place: ':7: backup.remotes.offsite.port: a whole number from 1 to 65535',
  },
  {
    lines: `${sftp}kye = "k"`,
    place: ':6: backup.remotes.offsite.kye: this key is not known; did you mean "key"?',
  },
  {
    lines: `${sftp}password = "hunter22"`,
    place: ':6: backup.remotes.offsite.password: a secret is given by the environment: "env:NAME"',
  },
  {
    lines: 'type = "s3"\nbucket = "b"\naccess_key_id = "k"',
    place:
      ':4: backup.remotes.offsite.access_key_id: one of "access_key_id" and "secret_access_key" is given without the other',
  },
  {
    lines: 'type = "s3"\nbucket = "b"\nendpoint = "s3.example.org"',
    place: ':4: backup.remotes.offsite.endpoint: a URL such as',
  },
])('$lines is refused at its place', async ({ lines, place }) => {
  const error = await load(lines).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(place) });
  expect(String(error)).not.toContain('hunter22');
});

test('a remote of type "sftp" needs host, path and key, and no user', async () => {
  const { config } = await load('type = "sftp"\nhost = "backup.example.org"\npath = "sets"\nkey = "key"');
  expect(config.backup.remotes['offsite']).toEqual({
    ...{ type: 'sftp', host: 'backup.example.org', port: 22 },
    ...{ path: 'sets', key: 'key', verify_upload: 'read' },
  });
});

test('the JSON Schema knows the keys of remotes', async () => {
  expect(JSON.stringify(await configJsonSchema())).toContain('"verify_upload"');
});
