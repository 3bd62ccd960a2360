import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findRestoreDirectory } from '../../../src/backups/restore/find-restore-directory.ts';
import { workDirectory } from '../../../src/backups/restore/restore-resources.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { unprivilegedUser } from '../../support/unprivileged-user.ts';
import { configFor } from '../support/fixture.ts';

const env = { HOME: '/home/ann', TMPDIR: '/var/tmp' };
const sources = new URL('../../../src/backups/', import.meta.url);

test('journals and dumps of a restore lie in the backup directory', async () => {
  await using place = await temporaryDirectory();
  const options = { config: configFor({ directory: place.path }), baseDirectory: '/', env };
  expect(findRestoreDirectory(options)).toBe(join(place.path, '.restores'));
  expect(workDirectory(options)).toBe(place.path);
  const missing = { ...options, config: configFor({ directory: join(place.path, 'new') }) };
  expect(findRestoreDirectory(missing)).toBe(join(place.path, 'new', '.restores'));
});

test('but not in one that may only be read, which does not keep a restore from it', async () => {
  await using place = await temporaryDirectory();
  chmodSync(place.path, 0o555);
  const script = `
    const { findRestoreDirectory } = await import('${new URL('restore/find-restore-directory.ts', sources).href}');
    const { workDirectory } = await import('${new URL('restore/restore-resources.ts', sources).href}');
    const options = { config: { backup: { directory: '${place.path}' } }, baseDirectory: '/', env: ${JSON.stringify(env)} };
    console.log(findRestoreDirectory(options), workDirectory(options));`;
  // Nothing is read-only for root.
  const { uid, gid } = unprivilegedUser() ?? {};
  const as = uid === undefined || gid === undefined ? {} : { uid, gid };
  const args = ['--input-type=module', '-e', script];
  const said = execFileSync(process.execPath, args, { ...as, cwd: '/', encoding: 'utf8' });
  expect(said).toBe('/home/ann/.local/state/tend/restores /var/tmp\n');
  chmodSync(place.path, 0o755);
});
