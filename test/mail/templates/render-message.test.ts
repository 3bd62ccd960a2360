import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { MailMessage } from '../../../src/mail/compose/mail-message.ts';
import { renderMessage } from '../../../src/mail/templates/render-message.ts';
import { compileCatalog } from '../../../src/translations/compile-catalog.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';

let directory: TemporaryDirectory;
/** Grows by itself, so that nothing is used from before. */
let time = 0;

beforeEach(async () => {
  directory = await temporaryDirectory();
  return async () => await directory[Symbol.asyncDispose]();
});

async function keep(files: Record<string, string | Buffer>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = join(directory.path, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

async function render(
  message: Partial<MailMessage>,
  more: { ms?: number; directory?: string | undefined } = {},
) {
  time += more.ms ?? 3000;
  return await renderMessage({
    message: { to: 'bob@x.test', ...message },
    templates: {
      directory: 'directory' in more ? more.directory : join(directory.path, 'mail'),
      catalogs: [join(directory.path, 'i18n')],
    },
    clock: { now: () => new Date(0), monotonicMs: () => time },
    signal: AbortSignal.timeout(10_000),
  });
}

describe('a message from a template', () => {
  it('has its subject, text and html, each value safe where it stands', async () => {
    await keep({
      'mail/welcome.subject': 'Welcome,\n  {{ name }}\n',
      'mail/welcome.txt': 'Hello {{ name }}\n',
      'mail/welcome.html': '<p title="{{ name }}">Hello {{ name }}</p>\n',
    });
    const name = 'A & "B"\r\nBcc: evil@e.test <i>\'';
    expect(await render({ template: 'welcome', data: { name } })).toEqual({
      subject: 'Welcome, A & "B" Bcc: evil@e.test <i>\'',
      text: `Hello ${name}\n`,
      html: '<p title="A &amp; &quot;B&quot;\r\nBcc: evil@e.test &lt;i&gt;&#39;">Hello A &amp; &quot;B&quot;\r\nBcc: evil@e.test &lt;i&gt;&#39;</p>\n',
    });
  });

  it('takes the subject of the message where it has one', async () => {
    await keep({ 'mail/a.txt': 'a' });
    expect(await render({ template: 'a', subject: 'Mine' })).toEqual({
      subject: 'Mine',
      text: 'a',
      html: undefined,
    });
  });

  it('may lie in a directory of the templates, and be a link that the operator made', async () => {
    await keep({ 'elsewhere.txt': 'linked', 'mail/orders/shipped.subject': 's' });
    await symlink(join(directory.path, 'elsewhere.txt'), join(directory.path, 'mail/orders/shipped.txt'));
    expect((await render({ template: 'orders/shipped' })).text).toBe('linked');
  });

  it.each([
    ['pl_PL', 'pl'],
    ['pl', 'pl'],
    ['pt-br', 'pt_BR'],
    ['pt_PT', 'default'],
    ['sr_RS@latin', 'sr@latin'],
    ['sr_RS.UTF-8', 'default'],
    ['zh_Hant_TW', 'zh_Hant'],
    ['de', 'default'],
  ])('for the locale %s is of %s, the nearest there is', async (locale, expected) => {
    await keep({ 'mail/a.subject': 's', 'mail/a.txt': 'default', 'mail/a.html': 'default' });
    for (const each of ['pl', 'pt_BR', 'sr@latin', 'zh_Hant']) await keep({ [`mail/a.${each}.txt`]: each });
    expect((await render({ template: 'a', locale })).text).toBe(expected);
  });

  it('is of one locale as a whole: no text in one language beside html in another', async () => {
    await keep({ 'mail/a.subject': 'en', 'mail/a.txt': 'en', 'mail/a.html': 'en', 'mail/a.pl.txt': 'pl' });
    expect(await render({ template: 'a', locale: 'pl' })).toEqual({
      subject: 'en',
      text: 'pl',
      html: undefined,
    });
  });

  it('is read anew after two seconds, and not before', async () => {
    await keep({ 'mail/a.subject': 's', 'mail/a.txt': 'old' });
    await render({ template: 'a' });
    await keep({ 'mail/a.txt': 'new' });
    expect((await render({ template: 'a' }, { ms: 1000 })).text).toBe('old');
    expect((await render({ template: 'a' }, { ms: 1000 })).text).toBe('new');
  });
});

describe('a template that cannot be used fails for good, and the error says why', () => {
  it.each<[string, Partial<MailMessage>, RegExp]>([
    [
      'not there',
      { template: 'nothing' },
      /"nothing" was not used: ".*mail" has neither nothing.txt nor nothing.html/,
    ],
    ['above the directory', { template: '../secret' }, /"..\/secret" was not used: a template is named with/],
    ['an absolute path', { template: '/etc/passwd' }, /a template is named with/],
    ['a name with a dot', { template: 'a.pl' }, /a template is named with/],
    ['a name with a NUL', { template: 'a\0' }, /a template is named with/],
    ['without a subject', { template: 'bare' }, /"bare" has no subject: there is no bare.subject/],
    [
      'with a variable that is missing',
      { template: 'faulty', data: {} },
      /faulty.html:2 uses "user.name", which/,
    ],
    ['badly written', { template: 'broken' }, /broken.txt:1 has a \{\{ that is not closed/],
    ['not UTF-8', { template: 'latin' }, /"latin.txt" was not used: the file is not UTF-8/],
    ['a directory', { template: 'folder' }, /"folder.txt" was not used: the file cannot be read \(EISDIR\)/],
  ])('%s', async (_, message, reason) => {
    await keep({
      'secret.txt': 'x',
      'mail/bare.txt': 'x',
      'mail/faulty.subject': 's',
      'mail/faulty.html': '\n{{ user.name }}',
      'mail/broken.txt': '{{ a',
      'mail/latin.txt': Buffer.from([0xe9]),
      'mail/folder.txt/x': '',
    });
    await expect(render(message)).rejects.toThrowError(
      expect.objectContaining({
        code: 'MAIL_TEMPLATE_INVALID',
        isPermanent: true,
        message: expect.stringMatching(reason),
      }),
    );
  });

  it('no directory of templates is configured', async () => {
    await expect(render({ template: 'a' }, { directory: undefined })).rejects.toThrowError(
      /names no directory/,
    );
  });

  it('a locale that is none', async () => {
    await keep({ 'mail/a.txt': '' });
    await expect(render({ template: 'a', locale: '../pl' })).rejects.toThrowError(
      expect.objectContaining({ code: 'MAIL_MESSAGE_INVALID', isPermanent: true }),
    );
  });
});

function compiled(po: string): Buffer {
  const { output } = compileCatalog({
    bytes: Buffer.from(po),
    file: 'x.po',
    useFuzzy: false,
    onBadMessage: 'fail',
  });
  if (output === undefined) throw new Error('the catalog is bad');
  return output.bytes;
}

const polish = `msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"

msgid "Hello %(name)s"
msgstr "Cześć, %(name)s"

msgctxt "greeting"
msgid "Bye"
msgstr "Pa"

msgid "%(num)d apple"
msgid_plural "%(num)d apples"
msgstr[0] "%(num)d jabłko"
msgstr[1] "%(num)d jabłka"
msgstr[2] "%(num)d jabłek"
`;

describe('the site’s own compiled catalogs', () => {
  const data = { name: 'Zoë', counts: [1, 2, 5, 12, 22, 1001] };
  const source =
    '{{ _("Hello %(name)s", name=name) }}; {{ pgettext("greeting", "Bye") }}; {% for n in counts %}{{ ngettext("%(num)d apple", "%(num)d apples", n) }} {% endfor %}';

  async function keepSite(): Promise<string> {
    await keep({ 'mail/a.subject': '{{ _("Hello %(name)s", name=name) }}', 'mail/a.txt': source });
    await keep({ 'i18n/pl/LC_MESSAGES/site.po': polish, 'i18n/pl/LC_MESSAGES/site.mo': compiled(polish) });
    return join(directory.path, 'i18n/pl/LC_MESSAGES/site.mo');
  }

  it('give a template the reader’s language, plural forms and all', async () => {
    await keepSite();
    expect(await render({ template: 'a', data, locale: 'pl_PL' })).toEqual({
      subject: 'Cześć, Zoë',
      text: 'Cześć, Zoë; Pa; 1 jabłko 2 jabłka 5 jabłek 12 jabłek 22 jabłka 1001 jabłek ',
      html: undefined,
    });
  });

  it.each(['de', undefined])('leave it as it is written for %s, which they do not have', async (locale) => {
    await keepSite();
    const { text } = await render({ template: 'a', data, ...(locale === undefined ? {} : { locale }) });
    expect(text).toMatch(/^Hello Zoë; Bye; 1 apple 2 apples/);
  });

  it('are asked from the nearest locale to the farthest', async () => {
    await keepSite();
    const nearer = polish.replace('"Pa"', '"Cześć"').replace(/msgid "Hello[\s\S]*?\n\n/, '');
    await keep({
      'i18n/pl_PL/LC_MESSAGES/site.po': nearer,
      'i18n/pl_PL/LC_MESSAGES/site.mo': compiled(nearer),
    });
    expect((await render({ template: 'a', data, locale: 'pl_PL' })).text).toMatch(/^Cześć, Zoë; Cześć; /);
  });

  it('are read anew when they were compiled again', async () => {
    const file = await keepSite();
    await render({ template: 'a', data, locale: 'pl' });
    await rm(file);
    expect((await render({ template: 'a', data, locale: 'pl' })).text).toMatch(/^Hello/);
    await writeFile(file, compiled(polish.replace('"Pa"', '"Do widzenia"')));
    expect((await render({ template: 'a', data, locale: 'pl' })).text).toMatch(/; Do widzenia; /);
  });

  it('that are nowhere are told, and the message is tried again later; one that needs none is made', async () => {
    await keep({ 'mail/a.subject': 's', 'mail/a.txt': source, 'mail/b.subject': 's', 'mail/b.txt': 'plain' });
    await expect(render({ template: 'a', data, locale: 'pl' })).rejects.toThrowError(
      expect.objectContaining({ code: 'CATALOG_INVALID', isPermanent: false }),
    );
    expect((await render({ template: 'b', locale: 'pl' })).text).toBe('plain');
  });

  it('that are damaged are told, and the message is tried again later', async () => {
    await writeFile(await keepSite(), 'damaged');
    await expect(render({ template: 'a', data, locale: 'pl' })).rejects.toThrowError(
      expect.objectContaining({
        code: 'CATALOG_INVALID',
        isPermanent: false,
        message: expect.stringMatching(/site\.mo/),
      }),
    );
  });
});
