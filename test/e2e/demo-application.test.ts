import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { debianPackage } from '../support/debian-package.ts';
import { blockTitled, fencedBlocks } from '../support/fenced-blocks.ts';
import { freePort } from '../support/free-port.ts';
import { queryCluster } from '../support/query-cluster.ts';
import { cronEnvironment } from '../support/run-cli.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { testRun } from '../support/test-run.ts';

/** docs/demo.md, typed line by line: a Pyramid application restored to yesterday. */
const blocks = await fencedBlocks('docs/demo.md');
const fixture = fileURLToPath(new URL('../fixtures/demo-app', import.meta.url));

const packages = [
  ...['pyramid', 'hupper', 'plaster', 'plaster-pastedeploy', 'pastedeploy', 'translationstring', 'venusian'],
  ...['webob', 'zope.deprecation', 'zope.interface', 'pkg-resources', 'waitress'],
  ...['sqlalchemy', 'greenlet', 'typing-extensions', 'psycopg2'],
].map((name) => `python3-${name}`);
const roots = packages.map((name) => ({ name, root: debianPackage(name) }));
const missing = [
  ...['/usr/bin/python3', '/usr/bin/curl'].filter((program) => !existsSync(program)),
  ...roots.filter(({ root }) => root === undefined).map(({ name }) => name),
];

interface Typed {
  command: string;
  answer: string;
}

let directory: TemporaryDirectory;
let app: string;
let port: number;

async function writeProgram(name: string, ...lines: string[]): Promise<void> {
  await writeFile(join(directory.path, 'bin', name), `#!/bin/sh\n${lines.join('\n')}\n`);
  await chmod(join(directory.path, 'bin', name), 0o755);
}

/** One folder that has all packages: two of them are parts of the same `zope`. */
async function linkPackages(): Promise<string> {
  const site = join(directory.path, 'site');
  await mkdir(site);
  for (const { root = '' } of roots) {
    const from = `${root}/usr/lib/python3/dist-packages/.`;
    await promisify(execFile)('cp', ['--recursive', '--symbolic-link', '--force', from, site]);
  }
  return site;
}

/** What stands in a file of the application with this run's server and port in the place of those of the document. */
async function replaceIn(name: string, replacements: [string, string][]): Promise<void> {
  const text = await readFile(join(app, name), 'utf8');
  await writeFile(
    join(app, name),
    replacements.reduce((result, [old, fresh]) => result.replaceAll(old, fresh), text),
  );
}

beforeAll(async () => {
  if (missing.length > 0) return;
  const run = testRun();
  directory = await temporaryDirectory();
  app = join(directory.path, 'demo-app');
  await cp(fixture, app, { recursive: true });
  await mkdir(join(directory.path, 'bin'));
  const node = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin/node');
  const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
  await writeProgram('tend', `exec ${node} ${program} "$@"`);
  const site = await linkPackages();
  await writeProgram('python3', `PYTHONDONTWRITEBYTECODE=1 PYTHONPATH='${site}' exec /usr/bin/python3 "$@"`);
  port = await freePort();
  const url = `postgresql://${run.superuser}@/cms_demo?host=${run.socketDirectory}&port=${run.port}`;
  await replaceIn('production.ini', [
    ['postgresql://cms@/cms_demo?host=/var/run/postgresql&port=5432', url],
    ['6543', String(port)],
  ]);
  await replaceIn('tend.toml', [['6543', String(port)]]);
});

afterAll(async () => {
  if (missing.length > 0) return;
  await type('./stop.sh');
  const run = testRun();
  const found = await queryCluster<{ datname: string }>(
    run,
    "select datname from pg_database where datname like 'cms\\_demo%'",
  );
  for (const { datname } of found) await queryCluster(run, `drop database ${datname} with (force)`);
  await directory[Symbol.asyncDispose]();
});

/** What a shell answers to a line, stderr included. */
async function type(command: string): Promise<string> {
  const run = testRun();
  const env = {
    ...cronEnvironment(directory.path),
    PATH: `${join(directory.path, 'bin')}:${run.binaries}:/usr/bin:/bin`,
    ...{ PGHOST: run.socketDirectory, PGPORT: String(run.port), PGUSER: run.superuser },
  };
  const line = command.replaceAll('6543', String(port));
  const { stdout } = await promisify(execFile)('sh', ['-c', `exec 2>&1\n${line}`], { cwd: app, env });
  return stdout;
}

function readSession(text: string): Typed[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      return { command: part.slice(0, end), answer: part.slice(end + 1) };
    });
}

/** Without what differs from run to run: times, sizes, identifiers, the server; and how a table is aligned. */
function withoutChance(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\d[ T][\d:.]+Z/g, 'TIME')
    .replaceAll(/^Task \d+ \(/gm, 'Task N (') // two at once: either may end first
    .replaceAll(/\d{8}T\d{6}Z-[0-9a-f]{4}/g, 'SET')
    .replaceAll(/\d{8}_\d{6}_[0-9a-f]{4}/g, 'ID')
    .replaceAll(/SHA-256 [0-9a-f]+/g, 'SHA-256')
    .replaceAll(/[\d.]+ (ms|s)\b/g, 'DURATION')
    .replaceAll(/[\d.]+ (B|kB|MB|GB|TB)\b/g, 'SIZE')
    .replaceAll(/\d+ (row|table|session|transaction)s?\b/g, 'SOME $1s')
    .replaceAll(/"\/[^"]*"/g, 'DIRECTORY')
    .replaceAll(/\(role "\w+"\)/g, '')
    .replaceAll(/\S*\/backups\b/g, 'backups')
    .replaceAll(/[ \t]{2,}|\t/g, '  ')
    .replaceAll(/FINISHED( +WORKER +NOTE)?/g, 'FINISHED')
    .replaceAll(/ +$/gm, '');
}

it.skipIf(missing.length > 0)(
  `an application is restored to yesterday, with its queue, as docs/demo.md shows it${missing.length > 0 ? ` (skipped: ${missing.join(', ')} cannot be had here)` : ''}`,
  { timeout: 120_000 },
  async () => {
    const real: Typed[] = [];
    const shown = blocks
      .filter(({ language }) => language === 'console')
      .flatMap(({ text }) => readSession(text));
    for (const { command } of shown) real.push({ command, answer: await type(command) });
    expect(real.map(({ command, answer }) => ({ command, answer: withoutChance(answer) }))).toEqual(
      shown.map(({ command, answer }) => ({ command, answer: withoutChance(answer) })),
    );
  },
);

it('docs/demo.md shows the tend.toml that the application has', async () => {
  expect(blockTitled(blocks, 'tend.toml').text).toBe(await readFile(join(fixture, 'tend.toml'), 'utf8'));
});
