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
