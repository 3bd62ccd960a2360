import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { InstalledProgram } from './check-completion.ts';

/** Every page that package.json names, one for each command, is where `man` looks for it. */
export function checkManPages({ prefix, env }: InstalledProgram): number {
  const root = join(prefix, 'lib/node_modules/tend');
  const { man }: { man: string[] } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { commands }: { commands: Record<string, { id: string; pluginName: string }> } = JSON.parse(
    readFileSync(join(root, 'oclif.manifest.json'), 'utf8'),
  );
  const pages = man.map((path) => basename(path, '.1'));
  const own = Object.values(commands).filter(({ pluginName }) => pluginName === 'tend');
  assert.deepEqual(
    own.map(({ id }) => `tend-${id.replaceAll(':', '-')}`).filter((name) => !pages.includes(name)),
    [],
  );
  const directory = join(prefix, 'share/man');
  for (const page of pages) assert.ok(statSync(join(directory, 'man1', `${page}.1`)).isFile());
  const path = { ...env, MANPATH: directory, MANWIDTH: '80', PAGER: 'cat', MANPAGER: 'cat' };
  if (spawnSync('man', ['--version'], { env: path }).status !== 0) return pages.length;
  for (const page of pages) {
    const found = execFileSync('man', ['-w', page], { env: path, encoding: 'utf8' }).trim();
    assert.equal(found, realpathSync(join(directory, 'man1', `${page}.1`))); // npm links it there
  }
  assert.match(execFileSync('man', ['tend-backup'], { env: path, encoding: 'utf8' }), /--label/);
  return pages.length;
}
