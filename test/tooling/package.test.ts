import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const readJson = async (name: string) => JSON.parse(await readFile(join(root, name), 'utf8'));

describe('oclif.manifest.json', () => {
  const makeManifest = async (env: Record<string, string>): Promise<string> =>
    (await run(process.execPath, [join(root, 'bin/manifest.js')], { env: { PATH: '/usr/bin:/bin', ...env } }))
      .stdout;

  it('holds nothing of the environment it was made in', async () => {
    const names = [
      'DATABASE_URL',
      'TEND_DATABASE_URL',
      'SMTP_URL',
      'TEND_MAIL_URL',
      'PGPASSWORD',
      'PGHOST',
      'USER',
      'HOME',
      'TEND_CONFIG',
    ];
    const env = Object.fromEntries(names.map((name) => [name, `canary-${name}`]));
    const made = await makeManifest(env);
    expect(made).not.toContain('canary');
    expect(made).toBe(await makeManifest({}));
    expect(made).not.toContain(root);
  });

  it('has for every command a summary that fits a line, and two examples', async () => {
    const { commands } = JSON.parse(await makeManifest({}));
    const poor = Object.values<{ id: string; summary?: string; examples?: unknown[]; hidden?: boolean }>(
      commands,
    )
      .filter(({ hidden }) => hidden !== true)
      .filter(
        ({ summary = '', examples = [] }) => summary === '' || summary.length > 80 || examples.length < 2,
      )
      .map(({ id }) => id);
    expect(poor).toEqual([]);
  });

  it('takes no secret as a flag', async () => {
    const { commands } = JSON.parse(await makeManifest({}));
    const flags = Object.values<{ flags: object }>(commands).flatMap((command) => Object.keys(command.flags));
    expect(flags.filter((name) => /passw|secret|token|api-?key/i.test(name))).toEqual([]);
  });
});

describe('package-lock.json', () => {
  it('is what package.json asks for, exactly', async () => {
    const { dependencies, devDependencies } = await readJson('package.json');
    const { packages } = await readJson('package-lock.json');
    expect(packages['']).toMatchObject({ dependencies, devDependencies });
    const wanted: Record<string, string> = { ...dependencies, ...devDependencies };
    const locked = Object.fromEntries(
      Object.keys(wanted).map((name) => [name, packages[`node_modules/${name}`]?.version]),
    );
    expect(locked).toEqual(wanted);
  });

  it('names no registry, and a checksum for every package', async () => {
    const { packages } = await readJson('package-lock.json');
    const entries = Object.entries<{ resolved?: string; integrity?: string; version?: string }>(
      packages,
    ).slice(1);
    expect(entries.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
    expect(
      entries.filter(([, entry]) => entry.integrity === undefined || entry.version === undefined),
    ).toEqual([]);
  });
});

describe('package.json', () => {
  it('pins every version: npm under an old Node would take older majors', async () => {
    const { dependencies, devDependencies, engines } = await readJson('package.json');
    expect(engines.node).toBe('>=24');
    for (const version of Object.values({ ...dependencies, ...devDependencies })) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });

  it('makes a package of 3 MB at most', async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
    const [{ size }] = JSON.parse(stdout);
    expect(size).toBeLessThan(3_000_000);
  });

  it('needs nothing at run time that only the build uses', async () => {
    const { dependencies } = await readJson('package.json');
    expect(Object.keys(dependencies)).not.toContain('@valibot/to-json-schema');
  });
});
