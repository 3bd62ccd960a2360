// npm run test:package   The packed tarball, installed into an empty prefix with npm install --global, runs there
//
// Not in the suite: it installs the dependencies, from npm's cache where they are in it. All is gone when it ends.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkBillOfMaterials } from './check-bill-of-materials.ts';
import { checkCompletion } from './check-completion.ts';
import { checkManPages } from './check-man-pages.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const longestPackedBytes = 3_000_000;
const directory = mkdtempSync(join(tmpdir(), 'tend-package-'));
const say = (line: string) => process.stdout.write(`${line}\n`);
const npm = (args: string[]) =>
  execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

try {
  execFileSync(process.execPath, [join(root, 'bin/build.js'), '--dist']);
  const [{ filename }] = JSON.parse(
    npm(['pack', '--json', '--ignore-scripts', '--pack-destination', directory]),
  );
  const tarball = join(directory, filename);
  const { size } = statSync(tarball);
  assert.ok(size <= longestPackedBytes, `the package has ${size} bytes, more than ${longestPackedBytes}`);
  say(`packed: ${size} bytes`);

  const prefix = join(directory, 'prefix');
  npm(['install', '--global', '--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund', tarball]);
  const env = { PATH: `${join(process.execPath, '..')}:/usr/bin:/bin`, HOME: directory };
  const tend = (...args: string[]) =>
    execFileSync(join(prefix, 'bin/tend'), args, { cwd: directory, env, encoding: 'utf8' });
  assert.match(tend('--version'), /^tend\/\d+\.\d+\.\d+ /);
  assert.match(tend('help'), /run-due-tasks/);
  assert.equal(typeof JSON.parse(tend('config', 'schema')), 'object');
  say('installed: --version, help and config schema are there');
  checkCompletion({ prefix, env });
  say('completion: set up as it says itself, Tab offers commands and flags');
  say(`man: finds ${checkManPages({ prefix, env })} pages, one for each command`);
  const count = checkBillOfMaterials({ root, tarball, directory: join(directory, 'bill') });
  say(`bill of materials: ${count} packages, each dependency and nothing of development`);

  const linter = spawnSync('npx', ['--yes', 'publint@0.3', tarball, '--strict'], {
    cwd: directory,
    encoding: 'utf8',
  });
  if (/npm error|ENOTFOUND|E40\d/.test(linter.stderr))
    say(`publint: not run, it cannot be fetched: ${linter.stderr.trim()}`);
  else {
    assert.equal(linter.status, 0, `publint: ${linter.stdout}${linter.stderr}`);
    assert.match(linter.stdout, /All good/);
    say('publint: clean');
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
