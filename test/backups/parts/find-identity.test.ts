import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'valibot';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findIdentity, type Identity } from '../../../src/backups/parts/find-identity.ts';
import type { Manifest } from '../../../src/backups/sets/manifest.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { type Key, newKey } from '../support/age-keys.ts';

let place: TemporaryDirectory;
let key: Key;
beforeAll(async () => {
  place = await temporaryDirectory();
  key = await newKey(place.path);
});
afterAll(async () => await place[Symbol.asyncDispose]());

const warnings: string[] = [];

async function find(
  file: string,
  options: { encryption?: 'none' | 'age'; secrets?: SecretRegistry } = {},
): Promise<Identity | undefined> {
  warnings.length = 0;
  const { encryption = 'age', secrets = new SecretRegistry() } = options;
  const log = { ...silentLog, warn: (line: string) => void warnings.push(line) };
  // Nothing else of the manifest is looked at.
  const manifest = { parts: [{ encryption }] } as unknown as Manifest;
  const config = parse(configSchema, { backup: { identity_file: file } });
  return await findIdentity({ manifest, config, baseDirectory: place.path, log, secrets });
}

function write(content: string, mode = 0o600): string {
  const file = join(place.path, 'identity');
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

const secretOf = ({ identity }: Key) => identity.keys[0] ?? '';

test('the file of age-keygen is read, relative to the configuration, and its keys become secrets', async () => {
  const secrets = new SecretRegistry();
  write(`# created: today\n# public key: ${key.recipient}\n\n${secretOf(key)}\r\n`);
  expect(await find('identity', { secrets })).toEqual({
    path: join(place.path, 'identity'),
    isRegularFile: true,
    keys: [secretOf(key)],
    recipients: [key.recipient],
  });
  expect(warnings).toEqual([]);
  expect(secrets.redact(`a line with ${secretOf(key)}`)).toBe('a line with ***');
});

test('several keys in one file count', async () => {
  const other = await newKey(place.path);
  write(`${secretOf(key)}\n${secretOf(other)}\n`);
  expect((await find('identity'))?.recipients).toEqual([key.recipient, other.recipient]);
});

test('a file that others can read is a warning with what to do', async () => {
  await find(write(secretOf(key), 0o644));
  expect(warnings).toEqual([expect.stringContaining(`chmod 600 ${place.path}/identity`)]);
});

test('a pipe is read, once', async () => {
  const fifo = join(place.path, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const writing = execFile('sh', ['-c', `echo "$1" > "$2"`, 'sh', secretOf(key), fifo]);
  expect(await find('fifo')).toMatchObject({ isRegularFile: false, recipients: [key.recipient] });
  expect(warnings).toEqual([]);
  writing.kill();
});

test('a set that is not encrypted needs none, even where a missing one is named', async () => {
  expect(await find('/nowhere/key.txt', { encryption: 'none' })).toBeUndefined();
});

test.each([
  { title: 'that is not there', file: () => '/nowhere/key.txt' },
  {
    title: 'that is a directory',
    file: () => {
      mkdirSync(join(place.path, 'folder'));
      return 'folder';
    },
  },
])('a file $title is exit 66', async ({ file }) => {
  await expect(find(file())).rejects.toMatchObject({ code: 'INPUT_MISSING', exitCode: 66 });
});

test.each([
  {
    title: 'encrypted with a passphrase',
    content: () => 'age-encryption.org/v1\n-> scrypt bBjlhJVYZeE4aqUdmtRHfw 18\n',
    why: 'a passphrase',
    hint: 'umask 077; age -d -o',
  },
  {
    title: 'encrypted with a passphrase, armoured',
    content: () => '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n',
    why: 'a passphrase',
    hint: 'age -d -o',
  },
  {
    title: 'that holds an SSH key',
    content: () => '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn\n',
    why: 'an SSH key',
    hint: 'age-keygen',
  },
  {
    title: 'that holds something else',
    content: () => `# a note\n${secretOf(key)}\nroot:x:0\n`,
    why: 'its line 3',
    hint: 'age-keygen',
  },
  { title: 'without a key', content: () => `# public key: ${key.recipient}\n`, why: 'no key', hint: '' },
  {
    title: 'with a mistyped key',
    content: () => secretOf(key).replace(/.$/, 'B'),
    why: 'mistyped',
    hint: '',
  },
])('a file $title is exit 78, and nothing of it is quoted', async ({ content, why, hint }) => {
  const failing = find(write(content()));
  await expect(failing).rejects.toMatchObject({
    code: 'IDENTITY_INVALID',
    exitCode: 78,
    message: expect.stringContaining(why),
    hint: expect.stringContaining(hint),
  });
  await expect(failing).rejects.not.toThrow(/root:x|SECRET-KEY-1[A-Z0-9]/);
});
