import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  createReadStream,
  linkSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { backUpFiles, prepareFiles } from '../../../src/backups/create/back-up-files.ts';
import { writePart } from '../../../src/backups/parts/write-part.ts';
import { removeFresh, sweepFresh } from '../../../src/backups/restore/fresh-files.ts';
import { planFiles } from '../../../src/backups/restore/plan-files.ts';
import { unpackFiles } from '../../../src/backups/restore/unpack-files.ts';
import { type BackupSet, filesIn } from '../../../src/backups/sets/backup-directory.ts';
import type { Config } from '../../../src/config/schema.ts';
import { progressToLog, silentLog } from '../../../src/log.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { describeTree, plantTree } from '../support/file-tree.ts';
import { configFor, takeBackup } from '../support/fixture.ts';
import { flipByte } from '../support/flip-byte.ts';
import { produceFrom } from '../support/produce-from.ts';

const id = '20261122T023000Z-7f3a';
let database: TestDatabase;
let base: BackupSet;
let basePlace: TemporaryDirectory;
let place: TemporaryDirectory;
let media: string;
let docs: string;

beforeAll(async () => {
  database = await createTestDatabase({ empty: true });
  basePlace = await temporaryDirectory();
  base = await takeBackup({ database, directory: basePlace.path });
});
afterAll(async () => {
  await basePlace[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  place = await temporaryDirectory();
  media = join(place.path, 'srv/media');
  docs = join(place.path, 'srv/docs');
  plantTree(media);
});
afterEach(async () => await place[Symbol.asyncDispose]());

const { signal } = new AbortController();
const context = { env: process.env, log: silentLog, progress: progressToLog(silentLog), signal };

function backupConfig(config: Partial<Config['backup']>): Config['backup'] {
  return configFor({ directory: join(place.path, 'backups'), config }).backup;
}

/** Packs files alone, into what then looks like a set. */
async function pack(config: Partial<Config['backup']>, env = process.env): Promise<BackupSet> {
  const backup = backupConfig(config);
  const directory = join(place.path, 'backups', id);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const prepared = await prepareFiles({
    ...{ ...context, env, backup, baseDirectory: '/', includeFiles: 'yes' },
    backupDirectory: join(place.path, 'backups'),
  });
  if (prepared === undefined) throw new Error('no files');
  const { part, files } = await backUpFiles({
    ...context,
    env,
    prepared,
    backup,
    directory,
    expectedBytes: 0,
  });
  return {
    id,
    path: directory,
    manifest: { ...base.manifest, files, parts: [part] },
    files: filesIn(directory),
  };
}

async function planFor(set: BackupSet, files: string[], mode: 'into' | 'replace' | 'leave' = 'replace') {
  return await planFiles({ set, backup: { files }, baseDirectory: '/', id, mode });
}

async function unpack(set: BackupSet, files: string[]) {
  const plan = await planFor(set, files);
  expect(plan.obstacles).toEqual([]);
  await unpackFiles({ ...context, set, files: plan.files, silenceMs: 60_000 });
  return plan.files;
}

test('what is unpacked is what was packed: names, links, modes, times, holes', async () => {
  const before = describeTree(media);
  const set = await pack({ files: [media] });
  expect(set.manifest.files).toMatchObject({
    roots: [{ path: media, entries: before.length }],
    unreadable: { count: 0, names: [] },
    changed: { count: 0, names: [] },
  });
  const [planned] = await unpack(set, [media]);
  const fresh = join(place.path, `srv/.media.tend_${id}`);
  expect(planned).toMatchObject({ live: media, fresh, keptAs: `${media}.before_${id}` });
  expect(describeTree(fresh)).toEqual(before);
  expect(describeTree(media)).toEqual(before);
  expect(statSync(join(fresh, 'sparse')).blocks).toBeLessThan(100);
  expect(readdirSync(join(place.path, 'srv')).sort()).toEqual([`.media.tend_${id}`, 'media']);
});

test('several roots are told apart, also with one name and with files that they share', async () => {
  const other = join(place.path, 'other/media');
  mkdirSync(other, { recursive: true });
  writeFileSync(join(other, 'own'), 'own');
  linkSync(join(media, 'old'), join(other, 'shared'));
  writeFileSync(join(place.path, 'settings.ini'), 'a single file');
  const files = [media, other, join(place.path, 'settings.ini')];
  const trees = files.map((path) => describeTree(path).map((line) => line.replace(/= \/.* \//, ' /')));
  const planned = await unpack(await pack({ files }), files);
  expect(planned.map(({ live }) => live)).toEqual(files);
  expect(
    planned.map(({ fresh }) => describeTree(fresh).map((line) => line.replace(/= \/.* \//, ' /'))),
  ).toEqual(trees);
});

test('a configured path that is a symbolic link is followed, and its target is what is replaced', async () => {
  const link = join(place.path, 'current');
  symlinkSync(media, link);
  const [planned] = await unpack(await pack({ files: [link], exclude: [`${link}/empty`] }), [link]);
  expect(planned?.live).toBe(realpathSync(media));
  expect(readdirSync(planned?.fresh ?? '')).not.toContain('empty');
  expect(readdirSync(planned?.fresh ?? '')).toContain('old');
});

test('sockets, exclusions and the backup directory itself are left out', async () => {
  await using _server = createServer().listen(join(media, 'socket'));
  mkdirSync(join(media, 'cache'));
  mkdirSync(join(media, 'closed/cache'));
  writeFileSync(join(media, 'closed/upload.tmp'), '');
  symlinkSync(media, join(place.path, 'whole'));
  const files = [place.path];
  const before = describeTree(media).length;
  const set = await pack({ files, exclude: ['*.tmp', `${media}/cache`] });
  expect(set.manifest.files?.unreadable.count).toBe(0);
  const names = execFileSync('sh', ['-c', 'zstd -dc "$0" | tar -t', join(set.path, 'files.tar.zst')], {
    encoding: 'utf8',
  });
  expect(names).toContain('/closed/cache/');
  expect(names).not.toMatch(/socket|\.tmp|media\/cache|backups/);
  expect(names.trim().split('\n').length).toBeLessThan(before + 3);
});

/** A directory with a `tar` that does something else on the way to the real one. */
function tarOf(script: string): NodeJS.ProcessEnv {
  const tools = join(place.path, 'tools');
  mkdirSync(tools, { recursive: true });
  const real = execFileSync('sh', ['-c', 'command -v tar'], { encoding: 'utf8' }).trim();
  const text = `#!/bin/sh\ntar=${real}\ncase "$*" in *--file=-*) ;; *) exec $tar "$@";; esac\n${script}\n`;
  writeFileSync(join(tools, 'tar'), text, { mode: 0o755 });
  chmodSync(place.path, 0o755);
  return { ...process.env, PATH: `${tools}:${process.env['PATH']}` };
}

test('what changes or goes while it is read is named, and the rest is packed', async () => {
  writeFileSync(join(media, 'growing'), Buffer.alloc(4_000_000, 'x'));
  const env = tarOf(`
    { $tar "$@"; echo $? > ${place.path}/status; } | { head -c 3000000; echo more >> ${media}/growing; cat; }
    exit $(cat ${place.path}/status)`);
  const set = await pack({ files: [media] }, env);
  expect(set.manifest.files).toMatchObject({
    changed: { count: 1, names: [join(media, 'growing')] },
    unreadable: { count: 0 },
  });
  const [planned] = await unpack(set, [media]);
  expect(describeTree(planned?.fresh ?? '').length).toBe(describeTree(media).length);
});

test('what cannot be read is named, and the rest is packed', async (context) => {
  if (process.getuid?.() !== 0) context.skip('only root can become somebody else');
  chmodSync(join(media, 'closed'), 0o700);
  chmodSync(join(media, 'script.sh'), 0o755);
  writeFileSync(join(media, 'secret\nödd'), '', { mode: 0o600 });
  const env = tarOf('exec setpriv --reuid 65534 --regid 65534 --clear-groups $tar "$@"');
  const set = await pack({ files: [media] }, env);
  const names = [join(media, 'closed'), join(media, 'secret\nödd')];
  expect(set.manifest.files?.unreadable.names.sort()).toEqual(names);
  const plan = await planFor(set, [media]);
  expect(plan.warnings).toEqual([expect.stringContaining('without 2 files')]);
});

test.each([
  {
    title: 'gives up',
    script:
      'echo "tar: -: Cannot write: Broken pipe" >&2; echo "tar: Error is not recoverable: exiting now" >&2; exit 2',
  },
  { title: 'fails and does not say at what', script: 'exit 2' },
  { title: 'is killed', script: 'kill -9 $$' },
])('a tar that $title makes no part', async ({ script }) => {
  await expect(pack({ files: [media] }, tarOf(script))).rejects.toMatchObject({ code: 'TOOL_FAILED' });
});

test('another tar than that of GNU is not used, and the package is named', async () => {
  const tools = join(place.path, 'bsd');
  mkdirSync(tools);
  for (const name of ['tar', 'gtar'])
    writeFileSync(join(tools, name), '#!/bin/sh\necho "bsdtar 3.6.2 - libarchive 3.6.2"\n', { mode: 0o755 });
  await expect(pack({ files: [media] }, { PATH: tools })).rejects.toMatchObject({
    code: 'TOOL_NOT_FOUND',
    message: expect.stringContaining('bsdtar 3.6.2'),
    hint: expect.stringContaining('apt-get install tar'),
  });
});

test.each([
  {
    title: 'that is missing',
    files: () => [media, docs],
    code: 'INPUT_MISSING',
    exitCode: 66,
    named: () => docs,
  },
  {
    title: 'inside another',
    files: () => [media, join(media, 'empty')],
    code: 'CONFIG_INVALID',
    exitCode: 78,
    named: () => join(media, 'empty'),
  },
  {
    title: 'that is everything',
    files: () => ['/'],
    code: 'CONFIG_INVALID',
    exitCode: 78,
    named: () => '"/"',
  },
])('a path $title is refused', async ({ files, code, exitCode, named }) => {
  await expect(pack({ files: files() })).rejects.toMatchObject({
    code,
    exitCode,
    message: expect.stringContaining(named()),
  });
});

test('only what the configuration names is unpacked, and the differences are said', async () => {
  mkdirSync(docs);
  const set = await pack({ files: [media] });
  const plan = await planFor(set, [docs]);
  expect(plan.files).toEqual([]);
  expect(plan.warnings).toEqual([
    expect.stringContaining(`"${media}", which [backup] files does not name`),
    expect.stringContaining(`"${docs}": it stays`),
  ]);
  expect(await planFor(set, [media], 'into')).toMatchObject({ files: [], warnings: [expect.any(String)] });
  expect(await planFor(set, [media], 'leave')).toEqual({ files: [], obstacles: [], warnings: [] });
});

test('obstacles are found before anything is done', async (context) => {
  const set = await pack({ files: [media] });
  rmSync(join(place.path, 'srv'), { recursive: true });
  const [missing] = (await planFor(set, [media])).obstacles;
  expect(missing).toContain('not writable');
  if (process.getuid?.() !== 0 || process.platform !== 'linux') context.skip('only root can mount');
  mkdirSync(media, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', media]);
  try {
    expect((await planFor(set, [media])).obstacles).toEqual([expect.stringContaining('is a mount point')]);
    const inside = {
      ...set.manifest,
      files: { ...set.manifest.files, roots: [{ path: `${media}/a`, member: 'a', bytes: 9e9, entries: 1 }] },
    };
    const large = {
      ...set,
      manifest: { ...inside, parts: inside.parts.map((part) => ({ ...part, uncompressedBytes: 9e9 })) },
    };
    expect((await planFor(large as BackupSet, [`${media}/a`])).obstacles).toEqual([
      expect.stringMatching(/need 9.0 GB .* are free/),
    ]);
  } finally {
    execFileSync('umount', [media]);
  }
});

test('what killed restores have left is swept, and nothing else', async () => {
  const set = await pack({ files: [media] });
  const files = await unpack(set, [media]);
  const srv = join(place.path, 'srv');
  for (const name of [
    `.media.tend_${id.replace('7f3a', 'beef')}.partial`,
    '.media.tend_notes',
    `media.before_${id}`,
  ])
    mkdirSync(join(srv, name));
  const swept = await sweepFresh({ ...context, backup: { files: [media] }, baseDirectory: '/' });
  expect(swept.sort()).toEqual(
    [`.media.tend_${id}`, `.media.tend_${id.replace('7f3a', 'beef')}.partial`].map((name) => join(srv, name)),
  );
  expect(readdirSync(srv).sort()).toEqual(['.media.tend_notes', 'media', `media.before_${id}`]);
  await removeFresh(files, context);
});

/** A set whose archive somebody else has made: `script` makes it with the real tar, as "$out". */
async function hostileSet(script: string): Promise<BackupSet> {
  const set = await pack({ files: [media] });
  const out = join(place.path, 'hostile.tar');
  execFileSync('bash', ['-ec', script], { cwd: place.path, env: { ...process.env, out } });
  const part = await writePart({
    ...{ ...context, directory: set.path, name: 'hostile.tar', holds: 'files' },
    compression: { format: 'none', level: 0 },
    recipients: [],
    produce: produceFrom(createReadStream(out)),
  });
  const roots = [{ path: media, member: 'srv/media', bytes: 1, entries: 1 }];
  const files = { ...set.manifest.files, roots } as BackupSet['manifest']['files']; // it has some
  return { ...set, manifest: { ...set.manifest, files, parts: [part] } };
}

const trees =
  'mkdir -p h/srv/media target; echo evil > evil; echo secret > target/secret; pack() { tar -P --transform "s,^evil$,$1," -rf $out evil; };';

test.each([
  { title: 'a name with ..', script: 'tar -cf $out -C h srv; pack srv/media/../../../evil2' },
  {
    title: 'a link to elsewhere, and a file through it',
    script: 'ln -s $PWD/target h/srv/media/link; tar -cf $out -C h srv; pack srv/media/link/evil2',
  },
  {
    title: 'two links, each harmless, and a file through them',
    script:
      'ln -s b h/srv/media/a; ln -s ../../../target h/srv/media/b; tar -cf $out -C h srv; pack srv/media/a/evil2',
  },
  {
    title: 'a root that is a link',
    script: 'rmdir h/srv/media; ln -s $PWD/target h/srv/media; tar -cf $out -C h srv; pack srv/media/evil2',
  },
  {
    title: 'a hard link to a file elsewhere, to be written through',
    script:
      'ln target/secret h/srv/media/hard; tar -cPf $out --transform "s,^h/,," $PWD/target/secret h/srv/media; pack srv/media/hard',
  },
  { title: 'nothing of what the manifest names', script: 'tar -cf $out evil' },
])('a hostile archive leads nowhere: $title', async ({ script }) => {
  const set = await hostileSet(trees + script);
  const { files } = await planFor(set, [media]);
  const before = describeTree(join(place.path, 'target'));
  await expect(unpackFiles({ ...context, set, files })).rejects.toMatchObject({ code: 'RESTORE_REFUSED' });
  await removeFresh(files, context);
  expect(describeTree(join(place.path, 'target'))).toEqual(before);
  expect(readdirSync(join(place.path, 'srv'))).toEqual(['media']);
  expect(execFileSync('find', [place.path, '-name', 'evil2'], { encoding: 'utf8' })).toBe('');
});

test('a part that is not what the manifest says is unpacked for nothing', async () => {
  const set = await pack({ files: [media] });
  const { files } = await planFor(set, [media]);
  flipByte(join(set.path, 'files.tar.zst'), 0.5);
  await expect(unpackFiles({ ...context, set, files })).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  await removeFresh(files, context);
  expect(readdirSync(join(place.path, 'srv'))).toEqual(['media']);
});

test.skipIf(process.getuid?.() !== 0 || process.platform !== 'linux')(
  'a full disk while unpacking: exit 73',
  async () => {
    writeFileSync(join(media, 'large'), randomBytes(700_000));
    const set = await pack({ files: [media] });
    rmSync(media, { recursive: true });
    const srv = join(place.path, 'srv');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=500k', 'tmpfs', srv]);
    try {
      const { files, obstacles } = await planFor(set, [media]);
      expect(obstacles).toEqual([expect.stringMatching(/the files need .* are free/)]);
      await expect(unpackFiles({ ...context, set, files })).rejects.toMatchObject({
        code: 'OUTPUT_UNWRITABLE',
        exitCode: 73,
        message: expect.stringContaining('No space left'),
      });
      await removeFresh(files, context);
      expect(readdirSync(srv)).toEqual([]);
    } finally {
      execFileSync('umount', [srv]);
    }
  },
);
