import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dropCompanions } from '../backups/support/fixture.ts';
import { createQueueSite, type QueueSite } from '../e2e/queue-site.ts';
import { fencedBlocks } from '../support/fenced-blocks.ts';
import { commandsIn } from '../support/find-command-faults.ts';

/** Recipes of docs/recipes.md that need no other machine, done as they stand. */
const settings = (await fencedBlocks('docs/recipes.md')).filter(({ language }) => language === 'toml');
const commands = await commandsIn('docs/recipes.md');

/** The settings of the recipe that has `mark`, with places of this test. */
function recipe(mark: string, replacements: Record<string, string>): string {
  const text = settings.find((block) => block.text.includes(mark))?.text ?? '';
  expect(text, `the recipe with ${mark}`).not.toBe('');
  return Object.entries(replacements).reduce((result, [old, fresh]) => result.replace(old, fresh), text);
}

let site: QueueSite;

beforeAll(async () => {
  site = await createQueueSite();
  await mkdir(join(site.path, 'backups'), { mode: 0o700 });
});
afterAll(async () => {
  await dropCompanions(site.database);
  await site[Symbol.asyncDispose]();
});

const type = async (beginning: string) => {
  const words =
    commands.find((found) => found.join(' ').startsWith(beginning) && !found.includes('--remote')) ?? [];
  expect(words, `the recipes have tend ${beginning}`).not.toEqual([]);
  const plain = words.map((word) => word.replaceAll(/^['"]|['"]$/g, ''));
  return await site.tend(plain);
};

it('the restore drill restores the newest backup beside the live database, and notes that', async () => {
  await site.configure(
    recipe('[schedules.restore-drill]', { '/var/backups/cms': join(site.path, 'backups') }),
  );
  expect(await site.tend(['backup'])).toMatchObject({ exitCode: 0 });
  expect(await site.tend(['run-due-tasks'])).toMatchObject({ exitCode: 0 });
  expect(await type('schedules trigger restore-drill')).toMatchObject({ exitCode: 0 });
  expect((await type('run-due-tasks -v')).stdout).toMatch(/\(verify-backup\) succeeded/);
  const tested = await site.database.query(
    'select 1 from tend.backups where restore_tested_at is not null and last_verify_error is null',
  );
  expect(tested).toHaveLength(1);
  expect(await type('backup list')).toMatchObject({ exitCode: 0, stderr: '' });
});

it('what breaks is told in one mail', async () => {
  const sent = join(site.path, 'told');
  await site.configure(recipe('mail_to', { 'env:SMTP_URL': `eml:${sent}` }));
  expect(await type('config validate')).toMatchObject({ exitCode: 0 });
  expect(await type('tasks enqueue http')).toMatchObject({ exitCode: 0 });
  expect(await type('run-due-tasks')).toMatchObject({ exitCode: 3 });
  expect(await type('run-due-tasks')).toMatchObject({ exitCode: 0 });
  const [mail = '', ...others] = await readdir(sent);
  expect(others).toEqual([]);
  expect(await readFile(join(sent, mail), 'utf8')).toMatch(/^Subject: http failed on /m);
  expect((await type('status')).stdout).toMatch(/^BROKEN\tSINCE[^\n]*\nhttp\t/m);
});

it('the newsletter stops while the password reset leaves', async () => {
  const sent = join(site.path, 'sent');
  await mkdir(sent);
  const urls = { 'env:SMTP_URL': `eml:${sent}`, 'env:BULK_SMTP_URL': `eml:${sent}` };
  await site.configure(recipe('[mail.servers.bulk]', urls));
  expect(await type('tasks pause --queue newsletter')).toMatchObject({ exitCode: 0 });
  const sql = (await fencedBlocks('docs/recipes.md')).filter(({ language }) => language === 'sql');
  for (const { text } of sql) await site.database.query(text);
  expect(await site.tend(['run-due-tasks'])).toMatchObject({ exitCode: 0 });
  const subjects = async () => {
    const names = await readdir(sent);
    const mails = await Promise.all(names.map((name) => readFile(join(sent, name), 'utf8')));
    return mails.map((mail) => /^Subject: (.*)\r$/m.exec(mail)?.[1] ?? '').sort();
  };
  expect(await subjects()).toEqual(['Your code']);
  expect(await type('tasks resume --queue newsletter')).toMatchObject({ exitCode: 0 });
  expect(await site.tend(['run-due-tasks'])).toMatchObject({ exitCode: 0 });
  expect(await subjects()).toEqual(['News', 'Your code']);
});

it('staging redirects what it sends, and says from whom', async () => {
  const sent = join(site.path, 'staging');
  await mkdir(sent);
  const text = recipe('redirect_all', { 'env:SMTP_URL': `eml:${sent}` });
  await site.configure(text.replace(/\[database\][^[]*/, ''));
  const mail = ['send-mail', '--to', 'someone@example.net', '--subject', 'Test', '--text', 'Test'];
  const result = await site.tend(mail);
  const mails = await Promise.all((await readdir(sent)).map((name) => readFile(join(sent, name), 'utf8')));
  expect({ result, mails }).toMatchObject({
    result: { exitCode: 0 },
    mails: [expect.stringMatching(/^X-Tend-Redirected-From: someone@example\.net\r$/m)],
  });
});
