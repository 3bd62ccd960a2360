import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../../support/run-cli.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** The bundle once had no YAML reader, which the sources have: each form is read by the built program too. */
it.each([
  ['database.yml#production', 'production: { adapter: postgresql, host: /nonexistent, database: cms }\n'],
  ['production.ini#app:main', '[app:main]\nsqlalchemy.url = postgresql:///cms?host=/nonexistent\n'],
  ['.env#DATABASE_URL', 'DATABASE_URL=postgresql:///cms?host=/nonexistent\n'],
])('the built program reads %s', async (from, content) => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, from.split('#')[0] ?? ''), content);
  await writeFile(join(directory.path, 'tend.toml'), `[database]\nfrom = ${JSON.stringify(from)}\n`);
  const { exitCode, stderr } = await runCli(['migrations'], { cwd: directory.path });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 69,
    stderr: expect.stringContaining('Database "cms" at /nonexistent/'),
  });
});
