import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, matchesGlob } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { debianPackage } from '../support/debian-package.ts';
import { fencedBlocks } from '../support/fenced-blocks.ts';
import { findCommandFaults } from '../support/find-command-faults.ts';

/** No engine builds the image here: what the file names is compared with what there is, line by line. */
const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

interface Manifest {
  name: string;
  version: string;
  engines: { node: string };
  bin: Record<string, string>;
  files: string[];
}

let lines: { word: string; rest: string }[];
let manifest: Manifest;
const restOf = (word: string): string => {
  const found = lines.filter((line) => line.word === word);
  expect(found, `one line ${word}`).toHaveLength(1);
  return found[0]?.rest ?? '';
};
const runs = (): string => lines.flatMap(({ word, rest }) => (word === 'RUN' ? [rest] : [])).join(' && ');

beforeAll(async () => {
  manifest = JSON.parse(await readFile(at('package.json'), 'utf8'));
  const text = (await readFile(at('docs/Containerfile'), 'utf8')).replaceAll(/^#.*\n/gm, '');
  lines = text
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ word: line.split(' ')[0] ?? '', rest: line.slice(line.indexOf(' ') + 1).trim() }));
});

describe('docs/Containerfile', () => {
  it('begins with a Node that package.json allows', () => {
    const major = /^node:(\d+)-bookworm-slim$/.exec(restOf('FROM'))?.[1];
    const least = /^>=(\d+)$/.exec(manifest.engines.node)?.[1];
    expect(Number(major)).toBeGreaterThanOrEqual(Number(least));
  });

  it('copies what npm pack makes, installs it from there, and takes it away', () => {
    const [source = '', target = ''] = restOf('COPY').split(/\s+/);
    expect(matchesGlob(`${manifest.name}-${manifest.version}.tgz`, source)).toBe(true);
    expect(runs()).toContain(`${target}${source} && rm -rf ${target.replace(/\/$/, '')} `);
  });

  it('calls npm with flags that it has', async ({ skip }) => {
    const help = spawnSync('npm', ['install', '--help'], { encoding: 'utf8' });
    skip(help.status !== 0, 'there is no npm');
    const [, words = ''] = /npm install ([^&]*)/.exec(runs()) ?? [];
    const flags = words.split(' ').filter((word) => word.startsWith('-'));
    expect(flags).toEqual(['--global', '--no-audit', '--no-fund']);
    for (const flag of flags) expect(help.stdout).toContain(flag);
  });

  it('starts a program of the package with a command that there is', async () => {
    const [program = '', ...before]: string[] = JSON.parse(restOf('ENTRYPOINT'));
    expect(Object.keys(manifest.bin)).toContain(program);
    expect(existsSync(at(manifest.bin[program] ?? ''))).toBe(true);
    expect(await findCommandFaults([...before, ...JSON.parse(restOf('CMD'))])).toEqual([]);
  });

  it('has the script of apt.postgresql.org where Debian has it, with the flag that asks nothing', async ({
    skip,
  }) => {
    const root = debianPackage('postgresql-common');
    skip(root === undefined, 'the Debian package "postgresql-common" cannot be had');
    const [, script = '', flag] = /(\/usr\/share\/\S+\.sh) (-\w)/.exec(runs()) ?? [];
    const text = await readFile(join(root ?? '/', script), 'utf8');
    expect(flag).toBe('-y');
    expect(text).toMatch(/^\s*-?y\)|getopts "[^"]*y/m);
    expect(() => execFileSync('sh', ['-n', join(root ?? '/', script)])).not.toThrow();
  });

  it('is valid shell in each of its commands', () => {
    for (const { word, rest } of lines)
      if (word === 'RUN') expect(spawnSync('sh', ['-nc', rest]).status, rest).toBe(0);
  });
});

it('the manual builds that file with an argument that it has, and runs it in its folder with a command of tend', async () => {
  const text =
    (await fencedBlocks('docs/operations.md')).find((one) => one.text.includes('docker build'))?.text ?? '';
  const file = /--file (\S+)/.exec(text)?.[1] ?? '';
  expect(existsSync(at(file))).toBe(true);
  expect(manifest.files).toContain('docs');
  const argument = /--build-arg (\w+)=/.exec(text)?.[1];
  expect(restOf('ARG')).toMatch(new RegExp(`^${argument}=\\d+$`));
  expect(runs()).toContain(`postgresql-client-$${argument}`);
  const [, target, words = ''] = /docker run --rm --volume [^:]+:(\S+) tend (.*)/.exec(text) ?? [];
  expect(target).toBe(restOf('WORKDIR'));
  expect(await findCommandFaults(words.split(' '))).toEqual([]);
});
