import { userInfo } from 'node:os';
import { expect, test } from 'vitest';
import { sftpStore } from '../../../src/backups/remotes/sftp-store.ts';
import { sshSettings } from '../../../src/backups/remotes/ssh-settings.ts';
import { SecretRegistry } from '../../../src/redact.ts';

const { signal } = new AbortController();
const shared = { baseDirectory: '/', env: {}, secrets: new SecretRegistry(), signal };
const settings = {
  type: 'sftp',
  host: 'backup.example.org',
  port: 22,
  path: '/sets',
  key: 'key',
  verify_upload: 'read',
} as const;

test('an SFTP remote without a user is that of the account that runs tend, as with ssh', () => {
  const address = (user?: string) =>
    sftpStore({
      ...shared,
      ...{
        name: 'offsite',
        retryDelaysMs: [],
        settings: user === undefined ? settings : { ...settings, user },
      },
    }).address;
  expect(address('cms')).toBe('sftp://cms@backup.example.org/sets');
  expect(address()).toBe(`sftp://${userInfo().username}@backup.example.org/sets`);
});

test('an account without a name cannot log in there, and is told what to set', async () => {
  const place = { name: 'offsite', address: 'sftp://backup.example.org/sets' };
  await expect(sshSettings({ ...shared, settings, user: undefined, place })).rejects.toMatchObject({
    code: 'REMOTE_MISCONFIGURED',
    hint: 'Set it in tend.toml: [backup.remotes.offsite] user = "tend"',
  });
});
