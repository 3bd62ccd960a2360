import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

const file = (name: string) => new URL(`../../${name}`, import.meta.url);
const { makeManPages }: { makeManPages: (manifest: string) => Promise<Record<string, string>> } =
  await import(file('bin/man.js').href);
const manifest = await readFile(file('oclif.manifest.json'), 'utf8');
const pages = await makeManPages(manifest);

describe('man pages', () => {
  it('are one for tend and one for each command that is shown', () => {
    const commands = Object.values<{ id: string; hidden?: boolean }>(JSON.parse(manifest).commands);
    const shown = commands.filter(({ hidden }) => hidden !== true);
    const names = shown.map(({ id }) => `tend-${id.replaceAll(':', '-')}.1`);
    expect(Object.keys(pages).sort()).toEqual(['tend.1', ...names].sort());
  });

  // npm links what "man" lists; "directories" it reads when it publishes, and not from a tarball
  it('are all named in package.json, so that npm install --global links them', async () => {
    const { man } = JSON.parse(await readFile(file('package.json'), 'utf8'));
    expect(man).toEqual(
      Object.keys(pages)
        .sort()
        .map((name) => `./dist/man/${name}`),
    );
  });

  it('have the sections that a reader of man pages looks for, in their order', () => {
    const { 'tend.1': _overview, ...commandPages } = pages;
    const wanted = ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'EXAMPLES', 'EXIT STATUS', 'SEE ALSO'];
    for (const text of Object.values(commandPages)) {
      expect([...text.matchAll(/^\.SH (.+)$/gm)].map(([, name]) => name)).toEqual(wanted);
    }
  });

  it.skipIf(spawnSync('groff', ['--version']).error !== undefined)('are roff without a warning', () => {
    const { stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-Kutf8', '-ww'], {
      input: Object.values(pages).join(''),
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toContain('tend backup list');
  });
});
