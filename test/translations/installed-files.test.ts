import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { progressToLog, silentLog } from '../../src/log.ts';
import { compileTranslations } from '../../src/translations/compile-translations.ts';
import { undoTranslations } from '../../src/translations/undo-translations.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { header } from './compile-text.ts';

const isRoot = process.getuid?.() === 0;
let directory: TemporaryDirectory;
beforeEach(async () => {
  directory = await temporaryDirectory();
  await mkdir(join(directory.path, 'i'));
  return async () => await directory[Symbol.asyncDispose]();
});

const catalogs = () => join(directory.path, 'i');

function controls(keptDirectory = join(directory.path, 'kept')) {
  return {
    keptDirectory,
    store: undefined,
    app: {},
    log: silentLog,
    progress: progressToLog(silentLog),
    signal: new AbortController().signal,
  };
}

async function install(text: string, keptDirectory?: string): Promise<void> {
  await writeFile(join(catalogs(), 'de.po'), `${header}msgid "one"\nmsgstr "${text}"\n`);
  await compileTranslations({
    ...controls(keptDirectory),
    ...{ cwd: catalogs(), roots: [catalogs()], locales: [], excluded: [], useFuzzy: false },
    ...{ onBadMessage: 'fail', maxDropPercent: undefined, isCheckOnly: false, isForced: false },
  });
}

describe('a compiled catalog that is replaced', () => {
  it('keeps its mode', async () => {
    await install('old');
    await chmod(join(catalogs(), 'de.mo'), 0o640);
    await install('new');
    expect((await stat(join(catalogs(), 'de.mo'))).mode & 0o777).toBe(0o640);
  });

  it.skipIf(!isRoot)('by root keeps its owner, and gives it back with an undo', async () => {
    const file = join(catalogs(), 'de.mo');
    await install('old');
    await chown(file, 65_534, 65_534);
    await install('new');
    const replaced = await stat(file);
    expect([replaced.uid, replaced.gid]).toEqual([65_534, 65_534]);
    await undoTranslations(controls());
    const undone = await stat(file);
    expect([undone.uid, undone.gid]).toEqual([65_534, 65_534]);
  });

  it.skipIf(isRoot)(
    'in a folder that may only be read is left as it was, with an error that names it',
    async () => {
      await install('old');
      const before = await stat(join(catalogs(), 'de.mo'));
      await writeFile(join(catalogs(), 'de.po'), `${header}msgid "one"\nmsgstr "new"\n`);
      await chmod(catalogs(), 0o555);
      try {
        await expect(install('new')).rejects.toThrow(/de\.(po|mo)/);
        expect((await stat(join(catalogs(), 'de.mo'))).mtimeMs).toBe(before.mtimeMs);
      } finally {
        await chmod(catalogs(), 0o755);
      }
    },
  );

  it('can be put back from another file system', async ({ skip }) => {
    const [other] = await otherFileSystems(catalogs());
    skip(other === undefined, 'everything here is on one file system');
    const elsewhere = await mkdtemp(join(other ?? '', 'tend-kept-'));
    try {
      await install('old', elsewhere);
      const before = await stat(join(catalogs(), 'de.mo'));
      await install('new', elsewhere);
      await undoTranslations(controls(elsewhere));
      expect((await stat(join(catalogs(), 'de.mo'))).size).toBe(before.size);
      expect(await readdir(catalogs())).toEqual(['de.mo', 'de.po']);
    } finally {
      await rm(elsewhere, { recursive: true, force: true });
    }
  });
});

/** Folders for temporary files that a rename from `path` cannot reach. */
async function otherFileSystems(path: string): Promise<string[]> {
  const { dev } = await stat(path);
  const candidates = ['/tmp', '/var/tmp', '/dev/shm'];
  const found = await Promise.all(
    candidates.map(async (candidate) => (await stat(candidate).catch(() => undefined))?.dev ?? dev),
  );
  return candidates.filter((_, index) => found[index] !== dev);
}
