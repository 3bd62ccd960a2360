import { execFile, spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

describe('bin/run.js under an old Node', () => {
  it.each(['bin/run.js', 'bin/sendmail.js'])('refuses in one line, exit code 78: %s', (entry) => {
    const pretend = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.20.2'})";
    const result = spawnSync(process.execPath, ['--import', pretend, join(root, entry), 'config'], {
      encoding: 'utf8',
    });
    expect(result.status).toBe(78);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(
      /^tend(-sendmail)?: Node 24 or newer is needed, and this is Node 20\.20\.2.*\n$/,
    );
  });

  it('does so on the old Node of this machine, where there is one', async ({ skip }) => {
    const system = spawnSync('/usr/bin/node', ['--version'], { encoding: 'utf8' });
    if (system.status !== 0 || /^v(2[4-9]|[3-9]\d)/.test(system.stdout)) skip('no old Node here');
    const result = spawnSync('/usr/bin/node', [join(root, 'bin/run.js')], { encoding: 'utf8' });
    expect(result).toMatchObject({ status: 78, stdout: '' });
    expect(result.stderr).toMatch(/^tend: Node 24 or newer is needed/);
  });
});

describe('the compile cache', () => {
  it('lives in a directory of the user’s own', async () => {
    await using home = await temporaryDirectory();
    await runCli(['config'], { env: { HOME: home.path } });
    const cache = join(home.path, '.cache/tend/compile-cache');
    expect(await readdir(cache)).toHaveLength(1);
    expect((await stat(cache)).mode & 0o077).toBe(0);
  });

  it('follows XDG_CACHE_HOME', async () => {
    await using home = await temporaryDirectory();
    await runCli(['config'], { env: { XDG_CACHE_HOME: home.path } });
    expect(await readdir(join(home.path, 'tend/compile-cache'))).toHaveLength(1);
  });

  it('is not used where others may write: they could plant code', async () => {
    await using home = await temporaryDirectory();
    const cache = join(home.path, '.cache/tend/compile-cache');
    await mkdir(cache, { recursive: true });
    await chmod(cache, 0o777);
    expect((await runCli(['config'], { env: { HOME: home.path } })).exitCode).toBe(0);
    expect(await readdir(cache)).toEqual([]);
  });

  it.each([{ HOME: '/proc/none' }, { HOME: '' }, { XDG_CACHE_HOME: 'relative' }])(
    'is done without under %j',
    async (env) => {
      expect(await runCli(['config', 'schema'], { env })).toMatchObject({ exitCode: 0, stderr: '' });
    },
  );
});

describe('bin/dev.js', () => {
  it('runs the sources, whatever the manifest says', async () => {
    await using directory = await temporaryDirectory();
    const { stdout } = await run(
      process.execPath,
      [join(root, 'bin/dev.js'), 'help', 'exit-codes', '--json'],
      {
        cwd: directory.path,
      },
    );
    expect(JSON.parse(stdout)).toHaveProperty('exitCodes');
  });
});

describe('NODE_ENV', () => {
  it.each(['test', 'development', 'production'])('%s makes no difference', async (NODE_ENV) => {
    expect(await runCli(['config', '--json'], { env: { NODE_ENV } })).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
  });
});

describe('warnings of packages', () => {
  const preload =
    "data:text/javascript,const on=process.on;process.on=function(e,...a){const r=on.call(this,e,...a);if(e==='SIGTERM')process.emitWarning('canary-warning');return r}";

  it('do not reach the mail of a cron job', async () => {
    const env = { NODE_OPTIONS: `--import=${preload.replaceAll(' ', '%20')}` };
    expect(await runCli(['config'], { env })).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await runCli(['config', '-vv'], { env })).stderr).toContain('debug: Warning: canary-warning');
  });
});

describe('the tick’s own entry', () => {
  it('loads no command framework, no query builder, no renderer, no mailer and no tool runner before they are needed', async () => {
    // an idle tick loads these besides, and nothing else
    const chunks = 'dist/tick-chunks/{resolve-connection,session-pool,esm}-*.js';
    for (const entry of ['dist/tick.js', ...globSync(chunks, { cwd: root })]) {
      const modules = await staticImports(join(root, entry));
      const text = (await Promise.all(modules.files.map((file) => readFile(file, 'utf8')))).join('\n');
      expect([...modules.packages]).toEqual([]);
      expect(text).not.toMatch(
        /^\/\/ node_modules\/(@oclif|kysely|listr2|execa|nodemailer|yaml|gettext-parser)\//m,
      );
    }
  });

  it('leaves what it does not know to the framework', async () => {
    const { exitCode, stdout } = await runCli(['run-due-tasks', '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('USAGE');
  });
});

/** The files that importing `entry` loads at once, and the names of what they load from outside. */
async function staticImports(entry: string): Promise<{ files: string[]; packages: Set<string> }> {
  const files: string[] = [];
  const packages = new Set<string>();
  const pending = [entry];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (files.includes(file)) continue;
    files.push(file);
    const source = await readFile(file, 'utf8');
    for (const [, from, bare] of source.matchAll(
      /^(?:import|export)\s[^;"']*?from\s*["']([^"']+)["']|^import\s*["']([^"']+)["']/gm,
    )) {
      const name = from ?? bare ?? '';
      if (name.startsWith('.')) pending.push(join(file, '..', name));
      else packages.add(name);
    }
  }
  return { files, packages };
}
