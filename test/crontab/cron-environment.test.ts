import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cronEnvironment } from '../../src/crontab/cron-environment.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const bare = { HOME: '/srv/cms', LOGNAME: 'cms', PATH: '/usr/bin:/bin', SHELL: '/bin/sh' };

it('is HOME, LOGNAME, PATH, SHELL and the settings of the crontab, and /etc/environment only where PAM reads it', async () => {
  await using directory = await temporaryDirectory();
  const pam = { service: join(directory.path, 'cron'), environment: join(directory.path, 'environment') };
  const environment = (settings: Record<string, string>) =>
    cronEnvironment({ user: 'cms', home: '/srv/cms', settings, pam });
  await writeFile(pam.environment, 'PATH="/opt/bin"\nTOKEN="a b"\n');
  await writeFile(pam.service, '# session required pam_env.so\n');
  expect(environment({})).toEqual(bare);
  await writeFile(pam.service, 'session       required   pam_env.so\n');
  expect(environment({ SHELL: '/bin/bash' })).toEqual({ ...bare, SHELL: '/bin/bash', TOKEN: 'a b' });
});
