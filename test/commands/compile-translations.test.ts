import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCli, runCliOnTerminal } from '../support/run-cli.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { header } from '../translations/compile-text.ts';

let directory: TemporaryDirectory;
beforeEach(async () => {
  directory = await temporaryDirectory();
  return async () => await directory[Symbol.asyncDispose]();
});

const good = `${header}msgid "one"\nmsgstr "jeden"\n`;
const bad = `${header}msgid "one"\nmsgstr "\\q"\n`;

async function compile(files: Record<string, string>, args: string[] = []) {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory.path, name)), { recursive: true });
    await writeFile(join(directory.path, name), content);
  }
  const { exitCode, stdout, stderr } = await runCli(['compile-translations', ...args], {
    cwd: directory.path,
  });
  return { exitCode, stdout, stderr };
}

const mo = async (folder: string) =>
  (await readdir(join(directory.path, folder))).filter((name) => name.endsWith('.mo'));

describe('tend compile-translations', () => {
  it('compiles the paths of tend.toml without a database, and is silent', async () => {
    const files = {
      'tend.toml': '[translations]\npaths = ["i18n"]\n',
      'i18n/pl.po': good,
      'other/pl.po': bad,
    };
    expect(await compile(files)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(await mo('i18n')).toEqual(['pl.mo']);
  });

  it('warns where there is nothing to compile, as below a path or for a locale that was mistyped', async () => {
    await mkdir(join(directory.path, 'empty'));
    expect(await compile({}, ['empty'])).toEqual({
      ...{ exitCode: 0, stdout: '' },
      stderr: expect.stringMatching(/^warning: .*no \.po file was found below ".*empty"\.\n$/),
    });
    const { exitCode, stderr } = await compile({ 'i/pl.po': good }, ['i', '--check', '--locale', 'po']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('no .po file of these locales was found');
  });

  it('exits 65 on a bad catalog, names its place as a compiler does, and installs nothing', async () => {
    const { exitCode, stdout, stderr } = await compile({ 'i/pl.po': bad, 'i/de.po': good }, ['i']);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 65,
      stdout: 'i/pl.po:7:9: error: invalid escape: "\\q" (for a backslash write "\\\\")\n',
    });
    expect(stderr).toContain('1 of 2 message catalogs is bad: nothing was installed.');
    expect(await mo('i')).toEqual([]);
  });

  it('prints the report as JSON, also when it fails', async () => {
    const { exitCode, stdout } = await compile({ 'i/pl.po': bad, 'i/de.po': good }, [
      'i',
      '--check',
      '--json',
    ]);
    const counts = { translated: 1, fuzzy: 0, untranslated: 0, obsolete: 0 };
    expect(exitCode).toBe(65);
    expect(JSON.parse(stdout)).toMatchObject({
      catalogs: [
        {
          path: join(directory.path, 'i/de.po'),
          output: join(directory.path, 'i/de.mo'),
          locale: 'de',
          result: 'checked',
          ...counts,
          errors: [],
        },
        {
          locale: 'pl',
          result: 'failed',
          errors: [{ file: 'i/pl.po', line: 7, column: 9, severity: 'error' }],
        },
      ],
      installed: 0,
      unchanged: 0,
      failed: 1,
    });
  });

  it.each<[string, string[], string[]]>([
    ['--locale', ['i', '--locale', 'pl', '--locale', 'fr'], ['fr.mo', 'pl.mo']],
    ['--locale before the path', ['--locale', 'pl', 'i'], ['pl.mo']],
    ['--exclude', ['i', '--exclude', 'pl'], ['de.mo', 'fr.mo']],
    ['--check', ['i', '--check'], []],
    ['several paths', ['i/de.po', 'i/fr.po'], ['de.mo', 'fr.mo']],
  ])('%s', async (_name, args, expected) => {
    expect(await compile({ 'i/de.po': good, 'i/fr.po': good, 'i/pl.po': good }, args)).toMatchObject({
      exitCode: 0,
    });
    expect((await mo('i')).toSorted()).toEqual(expected);
  });

  it('exits 3 when a bad message was left out', async () => {
    expect(await compile({ 'i/pl.po': bad }, ['i', '--on-bad-message', 'drop'])).toMatchObject({
      exitCode: 3,
    });
    expect(await mo('i')).toEqual(['pl.mo']);
  });

  it('puts the last set back with --undo, and takes no path with it', async () => {
    const home = join(directory.path, 'state');
    const env = { XDG_STATE_HOME: home };
    const run = async (...args: string[]) =>
      await runCli(['compile-translations', ...args], { cwd: directory.path, env });
    await compile({ 'i/pl.po': good }, ['--check']);
    expect(await run('--undo')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('nothing to put back'),
    });
    expect((await run()).exitCode).toBe(0);
    expect((await run('--undo', 'i')).exitCode).toBe(64);
    const { exitCode, stdout } = await run('--undo', '--json');
    expect([exitCode, JSON.parse(stdout)]).toEqual([
      0,
      { restored: [], removed: [join(directory.path, 'i/pl.mo')] },
    ]);
    expect(await mo('i')).toEqual([]);
  });

  it('prints only the JSON document of GitLab, also in CI and where all is good', async () => {
    const args = ['i', '--check', '--format', 'gitlab'];
    await compile({ 'i/pl.po': good }, args);
    const { exitCode, stdout } = await runCli(['compile-translations', ...args], {
      cwd: directory.path,
      env: { CI: 'true' },
    });
    expect([exitCode, stdout]).toEqual([0, '[]\n']);
  });

  it('takes the guard of tend.toml, and names a percentage that is none', async () => {
    const two = `${good}\nmsgid "two"\nmsgstr "dwa"\n`;
    await compile({ 'tend.toml': '[translations]\nmax_drop = "10%"\n', 'pl.po': two });
    const lossy = await compile({ 'pl.po': good });
    expect([lossy.exitCode, lossy.stdout]).toEqual([65, expect.stringContaining('1 of the 2 messages')]);
    expect(await compile({}, ['--max-drop', 'x'])).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('"x" is not a percentage.'),
    });
  });

  it('shows on a terminal how complete each catalog is, and what is new', async () => {
    await compile({ 'i/pl.po': `${good}\n#, fuzzy\nmsgid "two"\nmsgstr "dwa"\n` }, ['--check']);
    const { stdout } = await runCliOnTerminal(['compile-translations', '--check'], { cwd: directory.path });
    expect(stripVTControlCharacters(stdout)).toMatch(/pl +checked +█████░░░░░ {2}50 % +1 +0 +\+1 /);
  });

  it('exits 66 for a path that is not there', async () => {
    expect(await compile({}, ['nowhere'])).toMatchObject({ exitCode: 66, stdout: '' });
  });

  it('puts the old catalogs back when the restart fails, unless it is not to restart', async () => {
    const files = { 'tend.toml': '[app]\nrestart = ["/bin/false"]\n', 'pl.po': good };
    expect((await compile(files)).exitCode).toBe(2); // and the old state does not come up either
    expect(await mo('.')).toEqual([]);
    expect(await compile({}, ['--no-restart'])).toMatchObject({ exitCode: 0 });
    expect(await mo('.')).toEqual(['pl.mo']);
  });
});
