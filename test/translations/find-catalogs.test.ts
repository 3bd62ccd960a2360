import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FindCatalogsOptions, findCatalogs } from '../../src/translations/find-catalogs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function find(files: string[], options: Partial<FindCatalogsOptions> = {}, roots = ['.']) {
  await using directory = await temporaryDirectory();
  for (const file of files) {
    const path = join(directory.path, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '');
  }
  await symlink('..', join(directory.path, 'loop'));
  const found = await findCatalogs({
    roots: roots.map((root) => join(directory.path, root)),
    locales: [],
    excluded: [],
    signal: new AbortController().signal,
    ...options,
  });
  return found.map(({ path, output, locale }) => [
    relative(directory.path, path),
    relative(directory.path, output),
    locale,
  ]);
}

describe('findCatalogs', () => {
  it('finds the two layouts, in the order of their paths', async () => {
    expect(
      await find([
        'i18n/pl/LC_MESSAGES/cms.po',
        'i18n/de/LC_MESSAGES/js.po',
        'po/pt_BR.po',
        'po/sr@latin.po',
      ]),
    ).toEqual([
      ['i18n/de/LC_MESSAGES/js.po', 'i18n/de/LC_MESSAGES/js.mo', 'de'],
      ['i18n/pl/LC_MESSAGES/cms.po', 'i18n/pl/LC_MESSAGES/cms.mo', 'pl'],
      ['po/pt_BR.po', 'po/pt_BR.mo', 'pt_BR'],
      ['po/sr@latin.po', 'po/sr@latin.mo', 'sr@latin'],
    ]);
  });

  it.each([
    ['Babel', 'app/translations/de_CH/LC_MESSAGES/messages.po', 'messages.mo', 'de_CH'],
    ['Django', 'locale/zh_Hans/LC_MESSAGES/djangojs.po', 'djangojs.mo', 'zh_Hans'],
    ['an app of Django', 'blog/locale/sr_Latn/LC_MESSAGES/django.po', 'django.mo', 'sr_Latn'],
    ['Rails', 'locale/pl/app.po', 'app.mo', 'pl'],
    ['folders of apps', 'locale/app/pl.po', 'pl.mo', 'pl'],
    ['PHP', 'locale/pl_PL.UTF-8/LC_MESSAGES/site.po', 'site.mo', 'pl_PL.UTF-8'],
    ['WordPress', 'languages/pl_PL.po', 'pl_PL.mo', 'pl_PL'],
    ['WordPress, a plugin', 'plugins/a-b/languages/a-b-pt_BR.po', 'a-b-pt_BR.mo', 'pt_BR'],
    ['WordPress, a variant', 'languages/x-de_DE_formal.po', 'x-de_DE_formal.mo', 'de_DE_formal'],
    ['WordPress, no region', 'languages/admin-eo.po', 'admin-eo.mo', 'eo'],
    ['GNU', 'po/ca@valencia.po', 'ca@valencia.mo', 'ca@valencia'],
  ])('knows the layout of %s: %s', async (_name, path, output, locale) => {
    expect(await find([path])).toEqual([[path, join(dirname(path), output), locale]]);
  });

  it('puts the .mo file of locale/LOCALE/NAME.po into LC_MESSAGES where there is such a folder', async () => {
    expect(await find(['locale/pl/app.po', 'locale/pl/LC_MESSAGES/.keep'])).toEqual([
      ['locale/pl/app.po', 'locale/pl/LC_MESSAGES/app.mo', 'pl'],
    ]);
  });

  it('leaves alone what belongs to others, hidden folders, templates and files of other names', async () => {
    const foreign = [
      'node_modules/x/pl.po',
      'lib/python3/site-packages/x/pl.po',
      'myenv/pyvenv.cfg',
      'myenv/pl/LC_MESSAGES/x.po',
      '.git/pl.po',
      'pl/LC_MESSAGES/.x.po',
      'vendor/acme/shop/locale/pl/LC_MESSAGES/x.po',
      'usr/lib/python3/dist-packages/x/locale/pl/LC_MESSAGES/x.po',
      'po/plugin-pl_PL.po',
      'languages/Plugin.po',
      'docs/pl/shop.po',
      'cms.pot',
      'messages.po',
    ];
    expect(await find(foreign)).toEqual([]);
  });

  it('takes what is named, whatever it is called and wherever it is, and each catalog once', async () => {
    const roots = ['messages.po', '.hidden', '.hidden/pl.po'];
    const found = await find(['messages.po', '.hidden/pl.po'], {}, roots);
    expect(found.map(([path]) => path)).toEqual(['.hidden/pl.po', 'messages.po']);
  });

  it.each<[Partial<FindCatalogsOptions>, string[]]>([
    [{ locales: ['pt-br', 'de'] }, ['de.po', 'pt_BR.po']],
    [{ excluded: ['de'] }, ['pl.po', 'pt_BR.po']],
    [{ locales: ['DE.utf8'] }, ['de.po']],
    [{ locales: ['de', 'pl'], excluded: ['de'] }, ['pl.po']],
  ])('chooses locales by %j', async (options, expected) => {
    const found = await find(['de.po', 'pl.po', 'pt_BR.po'], options);
    expect(found.map(([path]) => path)).toEqual(expected);
  });

  it('says which path is not there', async () => {
    await expect(find([], {}, ['nowhere'])).rejects.toMatchObject({ code: 'INPUT_MISSING', exitCode: 66 });
  });
});
