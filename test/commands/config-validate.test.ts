import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { runCommand } from '../support/run-command.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const toml = `
[database]
url = "env:SITE_DATABASE"
[app]
restart = ["no-such-program"]
[tasks.kinds.resize]
command = ["/bin/true"]
env = ["RESIZE_TOKEN"]
`;

it('config validate --environment names variables and programs that are missing, and exits with 4', async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'tend.toml'), toml);
  const validate = ['config', 'validate', '--environment'];
  const { exitCode, stderr } = await runCli(validate, { cwd: directory.path });
  expect(exitCode).toBe(4);
  expect(stderr).toContain('database.url refers to the environment variable SITE_DATABASE, which is not set');
  expect(stderr).toContain(
    'tasks.kinds.resize.env passes on the environment variable RESIZE_TOKEN, which is not set',
  );
  expect(stderr).toContain('app.restart: Program "no-such-program" was not found on PATH');
  expect((await runCommand(['config', 'validate'], { cwd: directory.path })).exitCode).toBe(0);
});

it('config validate --environment says which database the environment leads to, and no password', async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'tend.toml'), '[database]\nurl = "env:SITE_DATABASE"\n');
  const { exitCode, stdout } = await runCommand(['config', 'validate', '--environment', '--json'], {
    cwd: directory.path,
    env: { SITE_DATABASE: 'postgresql://cms:hush-hush@db.example.org/cms' },
  });
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    environment: {
      connection: { place: '"cms" at db.example.org:5432', user: 'cms', hasPassword: true },
      ...{ connectionProblem: null, missingVariables: [], missingPrograms: [] },
    },
  });
  expect(stdout).not.toContain('hush-hush');
});
