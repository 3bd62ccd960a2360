import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { showConfig } from '../../src/config/show-config.ts';
import { SecretRegistry } from '../../src/redact.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

it('shows where a header comes from, and none that stands in the file itself', async () => {
  await using directory = await temporaryDirectory();
  const toml = `[http]
allow = ["api.example.org"]
[http.headers."api.example.org"]
Authorization = "env:CRM_AUTHORIZATION"
X-Api-Key = "canary-4711"
`;
  await writeFile(join(directory.path, 'tend.toml'), toml);
  const secrets = new SecretRegistry();
  const loaded = loadConfig({ cwd: directory.path, env: {}, configFlag: undefined, overrides: [], secrets });
  const shown = showConfig({ loaded, secrets }).filter(({ key }) => key.startsWith('http.headers.'));
  expect(shown).toEqual([
    {
      key: 'http.headers.api.example.org.Authorization',
      value: 'env:CRM_AUTHORIZATION',
      origin: `${join(directory.path, 'tend.toml')}:4`,
    },
    {
      key: 'http.headers.api.example.org.X-Api-Key',
      value: '***',
      origin: `${join(directory.path, 'tend.toml')}:5`,
    },
  ]);
});

it.each([
  { section: 'monitor.thresholds', line: 'connection_share = "72.5%"' },
  { section: 'monitor.thresholds', line: 'tick_age = "90s"' },
  { section: 'translations', line: 'max_drop = "5%"' },
  { section: 'mail', line: 'rate = "10/s"' },
  { section: 'mail', line: 'rate = "200/m"' },
  { section: 'mail', line: 'rate = "7/h"' },
  { section: 'mail', line: 'rate = "999999/d"' },
  { section: 'backup', line: 'jobs = 3' },
])('shows a setting as it was written: [$section] $line', async ({ section, line }) => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'tend.toml'), `[${section}]\n${line}\n`);
  const secrets = new SecretRegistry();
  const loaded = loadConfig({ cwd: directory.path, env: {}, configFlag: undefined, overrides: [], secrets });
  const [key = ''] = line.split(' ');
  const shown = showConfig({ loaded, secrets }).find((setting) => setting.key === `${section}.${key}`);
  expect(`${key} = ${JSON.stringify(shown?.value)}`).toBe(line);
});
