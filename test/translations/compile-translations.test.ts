import { readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { progressToLog, silentLog } from '../../src/log.ts';
import { catalogStateInDatabase } from '../../src/translations/catalog-state.ts';
import { compileExitCode } from '../../src/translations/compile-report.ts';
import {
  type CompileTranslationsOptions,
  compileTranslations,
} from '../../src/translations/compile-translations.ts';
import { readMo } from '../../src/translations/read-mo.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { header } from './compile-text.ts';

let directory: TemporaryDirectory;
beforeEach(async () => {
  directory = await temporaryDirectory();
  return async () => await directory[Symbol.asyncDispose]();
});

const at = (name: string) => join(directory.path, name);
const catalog = (translation: string) => `${header}msgid "one"\nmsgstr "${translation}"\n`;
const bad = `${header}msgid "one"\nmsgstr "\\q"\n`;

async function put(files: Record<string, string>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(at(name)), { recursive: true });
    await writeFile(at(name), content);
  }
}

async function run(options: Partial<CompileTranslationsOptions> = {}) {
  const report = await compileTranslations({
    cwd: directory.path,
    roots: [directory.path],
    locales: [],
    excluded: [],
    useFuzzy: false,
    onBadMessage: 'fail',
    isCheckOnly: false,
    isForced: false,
    maxDropPercent: undefined,
    keptDirectory: undefined,
    store: undefined,
    app: {},
    log: silentLog,
    progress: progressToLog(silentLog),
    signal: new AbortController().signal,
    ...options,
  });
  return { report, results: report.catalogs.map(({ result }) => result), exitCode: compileExitCode(report) };
}

/** What a program finds for "one"; undefined where there is no .mo file. */
async function translation(name: string): Promise<string | undefined> {
  const bytes = await readFile(at(name)).catch(() => undefined);
  return bytes && readMo(bytes).find(({ key }) => key === 'one')?.value;
}

const names = async () => (await readdir(directory.path)).toSorted();

describe('compileTranslations', () => {
  it('installs new and changed catalogs and leaves no other file', async () => {
    await put({ 'pl.po': catalog('jeden'), 'de.po': catalog('eins') });
    expect((await run()).results).toEqual(['installed', 'installed']);
    await put({ 'pl.po': catalog('raz') });
    expect((await run()).results).toEqual(['unchanged', 'installed']);
    expect(await translation('pl.mo')).toBe('raz');
    expect(await names()).toEqual(['de.mo', 'de.po', 'pl.mo', 'pl.po']);
  });

  it('touches no file and restarts nothing when nothing changed, unless forced', async () => {
    await put({ 'pl.po': catalog('jeden') });
    await run();
    const before = await stat(at('pl.mo'));
    let restarts = 0;
    const app = { restart: async () => ({ tookMs: ++restarts }) };
    await run({ app });
    expect(await stat(at('pl.mo'))).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
    expect(restarts).toBe(0);
    expect((await run({ app, isForced: true })).results).toEqual(['installed']);
    expect(restarts).toBe(1);
  });

  it('installs nothing when one catalog is bad, and tries it again the next time', async () => {
    await put({ 'pl.po': catalog('jeden'), 'de.po': bad });
    for (const attempt of [1, 2]) {
      const { report, results, exitCode } = await run();
      expect([attempt, exitCode, results]).toEqual([attempt, 65, ['failed', 'checked']]);
      expect(report.catalogs[0]?.errors[0]).toMatchObject({
        file: 'de.po',
        line: 7,
        column: 9,
        severity: 'error',
      });
    }
    expect(await names()).toEqual(['de.po', 'pl.po']);
  });

  it('leaves bad messages out with drop, and the rest of the set is installed', async () => {
    await put({
      'pl.po': `${catalog('jeden')}\nmsgid "two"\nmsgstr "\\q"\n`,
      'de.po': 'msgid',
      'fr.po': catalog('un'),
    });
    const { report, results, exitCode } = await run({ onBadMessage: 'drop' });
    expect(results).toEqual(['failed', 'installed', 'installed']);
    expect([report.dropped, exitCode]).toEqual([1, 65]);
    await rm(at('de.po'));
    expect((await run({ onBadMessage: 'drop' })).exitCode).toBe(3);
    expect(await translation('pl.mo')).toBe('jeden');
  });

  it('says and installs the same where a thread compiles', async () => {
    const many = Array.from({ length: 20 }, (_, index) => [`${index}/LC_MESSAGES/a.po`, catalog(`${index}`)]);
    await put({ ...Object.fromEntries(many), 'de.po': bad });
    const inThread = await run({ onBadMessage: 'drop', threadFrom: 0 });
    expect(await translation('7/LC_MESSAGES/a.mo')).toBe('7');
    const alone = await run({ onBadMessage: 'drop', isForced: true });
    const paths = (report: typeof alone.report) =>
      report.catalogs.map(({ path, errors }) => ({ path, errors }));
    expect(paths(inThread.report)).toEqual(paths(alone.report));
    expect(inThread.results).toEqual(alone.results);
    expect((await readdir(at('7/LC_MESSAGES'))).toSorted()).toEqual(['a.mo', 'a.po']);
  });

  it('leaves nothing behind where a thread compiles and cannot write, or is stopped', async () => {
    const many = Array.from({ length: 20 }, (_, index) => [`${index}/LC_MESSAGES/a.po`, catalog(`${index}`)]);
    const name = `long/LC_MESSAGES/${'n'.repeat(240)}.po`; // a name that is too long with what a temporary file adds to it
    await put({ ...Object.fromEntries(many), [name]: catalog('jeden') });
    await expect(run({ threadFrom: 0 })).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE', exitCode: 73 });
    const stopping = new AbortController();
    stopping.abort();
    await rm(at(name));
    await expect(run({ threadFrom: 0, signal: stopping.signal })).rejects.toThrow('aborted');
    const files = await readdir(directory.path, { recursive: true });
    expect(files.filter((file) => file.includes('.mo'))).toEqual([]);
  });

  it('writes nothing when it only checks', async () => {
    await put({ 'pl.po': catalog('jeden') });
    expect((await run({ isCheckOnly: true })).results).toEqual(['checked']);
    expect(await names()).toEqual(['pl.po']);
  });

  it('keeps the mode of the old file, and gives a new one that of its source', async () => {
    await put({ 'pl.po': catalog('jeden'), 'de.po': catalog('eins'), 'pl.mo': 'old' });
    await chmod(at('pl.mo'), 0o640);
    await chmod(at('de.po'), 0o604);
    await run();
    const modes = await Promise.all(
      ['pl.mo', 'de.mo'].map(async (name) => (await stat(at(name))).mode & 0o777),
    );
    expect(modes).toEqual([0o640, 0o604]);
  });

  it('replaces the file that a link leads to, not the link', async () => {
    await put({ 'pl.po': catalog('jeden'), 'shared/x.mo': 'old' });
    await symlink('shared/x.mo', at('pl.mo'));
    await run();
    expect(await translation('shared/x.mo')).toBe('jeden');
  });

  it('does not follow a .mo link out of the folders that are searched', async () => {
    await put({ 'locale/pl.po': catalog('jeden'), 'secret.mo': 'precious' });
    await symlink('../secret.mo', at('locale/pl.mo'));
    const { report, exitCode } = await run({ roots: [at('locale')] });
    expect(exitCode).toBe(65);
    expect(report.catalogs[0]?.errors[0]?.message).toMatch(/^pl\.mo is a link to .*secret\.mo, outside of/);
    expect(await readFile(at('secret.mo'), 'utf8')).toBe('precious');
  });

  it('follows a .mo link into a folder of the configuration, and a root that is a link', async () => {
    await put({ 'real/pl.po': catalog('jeden'), 'build/pl.mo': 'old' });
    await symlink('../build/pl.mo', at('real/pl.mo'));
    await symlink('real', at('locale'));
    expect((await run({ roots: [at('locale')], linkRoots: [at('build')] })).exitCode).toBe(0);
    expect(await translation('build/pl.mo')).toBe('jeden');
  });

  it('reads a .po link out of the folders by hand, but not when a task named them', async () => {
    await put({ 'locale/de.po': catalog('eins'), 'elsewhere/x.po': catalog('jeden') });
    await symlink('../elsewhere/x.po', at('locale/pl.po'));
    expect((await run({ roots: [at('locale')] })).results).toEqual(['installed', 'installed']);
    const { report } = await run({ roots: [at('locale')], areSourcesBound: true });
    expect(report.catalogs[1]).toMatchObject({ result: 'failed' });
    expect(report.catalogs[1]?.errors[0]?.message).toContain('the catalog is a link to');
  });

  it.each(['', '# all is gone\n'])(
    'never installs the empty catalog %j over one with messages',
    async (text) => {
      await put({ 'pl.po': catalog('jeden') });
      await run();
      await put({ 'pl.po': text });
      for (const options of [{}, { isForced: true }, { isCheckOnly: true }]) {
        const { report, results } = await run(options);
        expect(results).toEqual(['failed']);
        expect(report.catalogs[0]?.errors.at(-1)?.message).toContain('the catalog is empty, and');
      }
      expect(await translation('pl.mo')).toBe('jeden');
    },
  );

  it('counts what is new, other and gone since the live file, and adds it up', async () => {
    const numbered = (from: number, to: number, text: string) =>
      header +
      Array.from({ length: to - from }, (_, n) => `msgid "m${n + from}"\nmsgstr "${text}"\n\n`).join('');
    await put({ 'de.po': catalog('eins'), 'pl.po': numbered(0, 10, 'a') });
    const { report: first } = await run();
    expect(first.catalogs[1]).toMatchObject({ added: 10, changed: 0, removed: 0 });
    await put({ 'pl.po': numbered(2, 11, 'b') });
    expect((await run({ isCheckOnly: true })).report).toMatchObject({
      catalogs: [
        { added: 0, changed: 0, removed: 0 },
        { added: 1, changed: 8, removed: 2 },
      ],
      ...{ translated: 10, added: 1, changed: 8, removed: 2 },
    });
  });

  it('refuses the whole set, also with drop, when a catalog would lose more than --max-drop', async () => {
    const two = `${catalog('jeden')}\nmsgid "two"\nmsgstr "dwa"\n`;
    await put({ 'de.po': catalog('eins'), 'pl.po': two });
    await run();
    await put({ 'de.po': catalog('ein'), 'pl.po': catalog('jeden') });
    const { report, results, exitCode } = await run({ maxDropPercent: 49.9, onBadMessage: 'drop' });
    expect([results, exitCode]).toEqual([['checked', 'failed'], 65]);
    expect(report.catalogs[1]?.errors[0]?.message).toBe(
      `1 of the 2 messages of ${at('pl.mo')} would be lost (50 %), and --max-drop allows 49.9 %`,
    );
    expect(await translation('de.mo')).toBe('eins');
    expect((await run({ maxDropPercent: 50 })).results).toEqual(['installed', 'installed']);
  });

  it('installs into odd names, over a read-only file', async () => {
    const odd = "a b'é\n%.d/pl/LC_MESSAGES/x y.po";
    await put({ [odd]: catalog('jeden'), [odd.replace('.po', '.mo')]: 'old' });
    await chmod(at(odd.replace('.po', '.mo')), 0o444);
    expect((await run()).results).toEqual(['installed']);
    expect((await stat(at(odd.replace('.po', '.mo')))).mode & 0o777).toBe(0o444);
  });

  it('shows a reader the whole old or new file whenever it looks', async () => {
    await put({ 'pl.po': catalog('0') });
    await run();
    const done = new AbortController();
    const seen = new Set<string | undefined>();
    let looks = 0;
    const reading = (async () => {
      for (; !done.signal.aborted || looks < 10_000; looks += 1) {
        seen.add(readMo(readFileSync(at('pl.mo'))).find(({ key }) => key === 'one')?.value);
        if (looks % 20 === 0) await setImmediate();
      }
    })();
    for (let round = 1; round <= 20; round += 1) {
      await put({ 'pl.po': catalog(`${round}`) });
      await run();
    }
    done.abort();
    await reading;
    expect([...seen].every((text) => text !== undefined && /^\d+$/.test(text))).toBe(true);
    expect(seen.size).toBeGreaterThan(2);
  });

  it('says which file cannot be written, and installs nothing', async () => {
    await put({ 'de.po': catalog('eins'), 'pl.po': catalog('jeden') });
    await mkdir(at('pl.mo'));
    await expect(run()).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE', exitCode: 73 });
    expect(await names()).toEqual(['de.po', 'pl.mo', 'pl.po']);
  });

  it('puts the old set back when the application does not come up with the new one', async () => {
    await put({ 'pl.po': catalog('jeden') });
    await run();
    await put({ 'pl.po': catalog('dwa'), 'de.po': catalog('zwei') });
    const seen: (string | undefined)[] = [];
    const app = {
      restart: async () => {
        seen.push(await translation('pl.mo'));
        return { tookMs: 0 };
      },
      check: async () => {
        if (seen.length === 1) throw new Error('500');
        return { tookMs: 0, tries: 1 };
      },
    };
    await expect(run({ app })).rejects.toMatchObject({
      code: 'CHANGE_ROLLED_BACK',
      exitCode: 1,
    });
    expect(seen).toEqual(['dwa', 'jeden']);
    expect(await names()).toEqual(['de.po', 'pl.mo', 'pl.po']);
  });
});

describe('with a database', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => await database[Symbol.asyncDispose]());

  const rows = async () =>
    await database.query<{ path: string; result: string; message: string | null }>(
      'select path, result, message from tend.catalogs where path like $1 order by path',
      [`${directory.path}/%`],
    );

  it('remembers each result, so that a failed catalog is tried again and a foreign .mo file is noticed', async () => {
    await using db = await database.openDatabase();
    const store = catalogStateInDatabase(db, 'web1');
    await put({ 'pl.po': catalog('jeden'), 'de.po': bad });
    await run({ store, onBadMessage: 'fail' });
    expect(await rows()).toEqual([
      { path: at('de.po'), result: 'failed', message: expect.stringContaining('invalid escape: "\\q"') },
    ]);
    await put({ 'de.po': catalog('eins') });
    expect((await run({ store })).results).toEqual(['installed', 'installed']);
    expect((await rows()).map(({ result }) => result)).toEqual(['installed', 'installed']);
    const known = await run({ store });
    expect(known.report.catalogs[0]).toMatchObject({ result: 'unchanged', translated: null });
    await put({ 'pl.mo': 'foreign' });
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (line: string) => void warnings.push(line) };
    const { report, results } = await run({ store, log });
    expect(results).toEqual(['unchanged', 'installed']);
    expect(report.catalogs[1]).toMatchObject({ isForeign: true, added: null, changed: null, removed: null });
    expect(warnings).toEqual([`"${at('pl.mo')}" has been written by somebody else since it was installed.`]);
    expect((await run({ store, log })).report.catalogs[1]).toMatchObject({ isForeign: false });
    expect(warnings).toHaveLength(1);
  });

  it('compiles all the same when the state cannot be read', async () => {
    await put({ 'pl.po': catalog('jeden') });
    const fail = async (): Promise<never> => await Promise.reject(new Error('gone'));
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (line: string) => void warnings.push(line) };
    expect((await run({ store: { load: fail, save: fail }, log })).results).toEqual(['installed']);
    expect(warnings).toHaveLength(2);
  });
});
