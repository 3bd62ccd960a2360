import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { progressToLog, silentLog } from '../../src/log.ts';
import { compileTranslations } from '../../src/translations/compile-translations.ts';
import { readMo } from '../../src/translations/read-mo.ts';
import { undoTranslations } from '../../src/translations/undo-translations.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { header } from './compile-text.ts';

let directory: TemporaryDirectory;
beforeEach(async () => {
  directory = await temporaryDirectory();
  await mkdir(at('i'));
  return async () => await directory[Symbol.asyncDispose]();
});

const at = (name: string) => join(directory.path, name);
const locales = ['de', 'fr', 'pl'];

async function put(texts: Record<string, string>): Promise<void> {
  for (const [locale, text] of Object.entries(texts)) {
    await writeFile(at(`i/${locale}.po`), `${header}msgid "one"\nmsgstr "${text}"\n`);
  }
}

function controls(app: Parameters<typeof undoTranslations>[0]['app'] = {}) {
  return {
    keptDirectory: at('kept'),
    store: undefined,
    app,
    log: silentLog,
    progress: progressToLog(silentLog),
    signal: new AbortController().signal,
  };
}

async function install(app?: Parameters<typeof undoTranslations>[0]['app']) {
  const report = await compileTranslations({
    ...controls(app),
    ...{ cwd: at('i'), roots: [at('i')], locales: [], excluded: [], useFuzzy: false },
    ...{ onBadMessage: 'fail', maxDropPercent: undefined, isCheckOnly: false, isForced: false },
  });
  return report.catalogs.map(({ result }) => result);
}

const undo = async (app?: Parameters<typeof undoTranslations>[0]['app']) =>
  await undoTranslations(controls(app));

/** What programs find for "one" in each locale; it throws where a file is not whole. */
async function live(): Promise<(string | undefined)[]> {
  return await Promise.all(
    locales.map(async (locale) => {
      const bytes = await readFile(at(`i/${locale}.mo`)).catch(() => undefined);
      return bytes && readMo(bytes).find(({ key }) => key === 'one')?.value;
    }),
  );
}

const names = async () => (await readdir(at('i'))).toSorted();
const kept = async () => (await readdir(at('kept'))).filter((name) => name.endsWith('.mo')).length;

/** `de` and `pl` are installed twice; `fr` is new with the second set. */
async function installTwice(): Promise<void> {
  await put({ de: 'old', pl: 'old' });
  await install();
  await put({ de: 'new', fr: 'new', pl: 'new' });
}

describe('undoTranslations', () => {
  it('puts the last set back, removes what was new, and does nothing the second time', async () => {
    await installTwice();
    await chmod(at('i/pl.mo'), 0o640);
    await install();
    let restarts = 0;
    const restart = async () => ({ tookMs: ++restarts });
    expect(await undo({ restart })).toEqual({
      restored: [at('i/de.mo'), at('i/pl.mo')],
      removed: [at('i/fr.mo')],
    });
    expect(await live()).toEqual(['old', undefined, 'old']);
    expect((await stat(at('i/pl.mo'))).mode & 0o777).toBe(0o640);
    expect(await undo({ restart })).toEqual({ restored: [], removed: [] });
    expect([restarts, await kept()]).toEqual([1, 0]);
    expect(await names()).toEqual(['de.mo', 'de.po', 'fr.po', 'pl.mo', 'pl.po']);
  });

  it('keeps only the last set, and a run that changes nothing leaves it', async () => {
    await installTwice();
    await install();
    await put({ pl: 'newer' });
    await install();
    await install();
    expect(await kept()).toBe(1);
    await undo();
    expect(await live()).toEqual(['new', 'new', 'new']);
  });

  it('leaves the new set where the application does not come up with the old one', async () => {
    await installTwice();
    await install();
    const seen: string[] = [];
    const restart = async () => {
      seen.push((await live()).join());
      if (seen.length === 1) throw new Error('500');
      return { tookMs: 0 };
    };
    await expect(undo({ restart })).rejects.toMatchObject({ code: 'CHANGE_ROLLED_BACK' });
    expect(seen).toEqual(['old,,old', 'new,new,new']);
    await undo();
    expect(await live()).toEqual(['old', undefined, 'old']);
  });

  it('keeps what it can undo when a later set is rolled back', async () => {
    await installTwice();
    await install();
    await put({ de: 'worse' });
    let tries = 0;
    const restart = async () => {
      if (tries++ === 0) throw new Error('500');
      return { tookMs: 0 };
    };
    await expect(install({ restart })).rejects.toMatchObject({ code: 'CHANGE_ROLLED_BACK' });
    await undo();
    expect(await live()).toEqual(['old', undefined, 'old']);
  });

  it('refuses where nothing is kept, a file has changed since, or what was kept is damaged', async () => {
    const refusal = (message: string) => ({
      code: 'CATALOGS_UNDO_REFUSED',
      exitCode: 1,
      message: expect.stringContaining(message),
    });
    await expect(undo()).rejects.toMatchObject(refusal('There is nothing to put back'));
    await installTwice();
    await install();
    const written = await readFile(at('i/pl.mo'));
    await writeFile(at('i/pl.mo'), 'foreign');
    await expect(undo()).rejects.toMatchObject(refusal(`removed "${at('i/pl.mo')}" since.`));
    expect(await readFile(at('i/pl.mo'), 'utf8')).toBe('foreign');
    await writeFile(at('i/pl.mo'), written);
    for (const name of await readdir(at('kept'))) {
      if (name.endsWith('.mo')) await rm(join(at('kept'), name));
    }
    await expect(undo()).rejects.toMatchObject(refusal('is missing or damaged'));
    expect(await live()).toEqual(['new', 'new', 'new']);
  });

  it('installs all the same, with a warning, where nothing can be kept', async () => {
    await writeFile(at('kept'), 'a file');
    await put({ de: 'new' });
    expect(await install()).toEqual(['installed']);
  });
});

function start(what: 'install' | 'undo', step: number) {
  const script = fileURLToPath(new URL('killed-run.ts', import.meta.url));
  return spawn(process.execPath, [script, at('i'), at('kept'), what, String(step)]);
}

/** Whether it was killed; false where it had come to its end before. */
async function killAt(what: 'install' | 'undo', step: number): Promise<boolean> {
  const child = start(what, step);
  const [code, signal] = await once(child, 'exit');
  if (signal === null && code !== 0) throw new Error(`exit ${code}`);
  return signal === 'SIGKILL';
}

describe('a run that is killed', () => {
  it('installing, leaves every file whole, and the next run makes one set of it with a way back', async () => {
    await installTwice();
    const mixed: string[] = [];
    let step = 1;
    for (; await killAt('install', step); step += 1) {
      mixed.push((await live()).join());
      let restarts = 0;
      await install({ restart: async () => ({ tookMs: ++restarts }) });
      expect([step, await live(), await names()]).toEqual([
        step,
        ['new', 'new', 'new'],
        ['de.mo', 'de.po', 'fr.mo', 'fr.po', 'pl.mo', 'pl.po'],
      ]);
      expect([step, restarts]).toEqual([step, mixed.at(-1) === 'new,new,new' && restarts === 0 ? 0 : 1]);
      await undo();
      expect([step, await live()]).toEqual([step, ['old', undefined, 'old']]);
    }
    expect(new Set(mixed)).toEqual(new Set(['old,,old', 'new,,old', 'new,new,old', 'new,new,new']));
  }, 60_000);

  it('putting back, leaves every file whole, and the next --undo finishes', async () => {
    await installTwice();
    await install();
    const mixed: string[] = [];
    for (let step = 1; await killAt('undo', step); step += 2) {
      mixed.push((await live()).join());
      await undo();
      expect([step, await live(), await names()]).toEqual([
        step,
        ['old', undefined, 'old'],
        ['de.mo', 'de.po', 'fr.po', 'pl.mo', 'pl.po'],
      ]);
      await install();
    }
    expect(new Set(mixed).size).toBeGreaterThan(2);
  }, 60_000);

  it('before the restart, has the next run restart for it, and --undo take it back', async () => {
    await installTwice();
    const child = start('install', 0);
    await once(child.stdout, 'data');
    await expect(install()).rejects.toMatchObject({ code: 'CATALOGS_BUSY', exitCode: 75 });
    await expect(undo()).rejects.toMatchObject({ code: 'CATALOGS_BUSY' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    let tries = 0;
    const restart = async () => {
      if (tries++ === 0) throw new Error('500');
      return { tookMs: 0 };
    };
    await expect(install({ restart })).rejects.toMatchObject({ code: 'CHANGE_ROLLED_BACK' });
    expect([await live(), await names(), tries]).toEqual([
      ['old', undefined, 'old'],
      ['de.mo', 'de.po', 'fr.po', 'pl.mo', 'pl.po'],
      2,
    ]);
  });
});
