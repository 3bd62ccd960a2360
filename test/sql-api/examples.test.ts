import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createQueueSite, type QueueSite, scriptKind } from '../e2e/queue-site.ts';
import { blockTitled, fencedBlocks } from '../support/fenced-blocks.ts';
import { clientProgram, clientPrograms } from './client-programs.ts';
import { type ApplicationRole, createApplicationRole } from './support.ts';

/** What docs/sql-api.md shows, run as it stands there by a role that has the SQL API and its own table `orders`. */
const blocks = await fencedBlocks('docs/sql-api.md');
const promised = blockTitled(blocks, 'What they print').text;
const kinds = [
  '[mail]\nurl = "eml:mail"\nfrom = "CMS <cms@example.org>"\n',
  scriptKind('resize-images', 'cat'),
  scriptKind('send-report', 'cat'),
].join('');

let site: QueueSite;
let application: ApplicationRole;

beforeAll(async () => {
  site = await createQueueSite(kinds);
  application = await createApplicationRole(site.database, { isGranted: false });
  await site.tend(['migrations', 'up', '--grant-to', application.name]);
  await site.database.query(
    `create table orders (id serial primary key, customer text not null); alter table orders owner to ${application.name}`,
  );
});
afterAll(async () => {
  await application[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await site.database.query('truncate orders, tend.tasks, tend.attempts, tend.schedules, tend.deliveries');
  await tick();
});

async function tick(): Promise<void> {
  const ran = await site.tend(['run-due-tasks']);
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
}

/** Recipients of the messages that were sent; forgets them. */
async function recipients(): Promise<string[]> {
  const directory = join(site.path, 'mail');
  const names = await readdir(directory).catch(() => []);
  const messages = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  await rm(directory, { recursive: true, force: true });
  return messages.map((message) => /^To: (.*?)\r$/m.exec(message)?.[1] ?? '');
}

describe('an example of the document prints what it says, and what it committed runs: no more', () => {
  it.for(clientPrograms)('$title', async (program, { skip }) => {
    skip(!program.isInstalled, program.whySkipped);
    const as = { database: site.database, role: application.name };
    const sql = `select tend.schedule('report-6', '@daily', 'send-report')`;
    await clientProgram('psql').run(sql, as);

    const { stdout, stderr } = await program.run(blockTitled(blocks, program.title).text, as);
    // psql has the hint of an error for stderr only.
    const hint = /HINT: {2}(.*\n)/.exec(stderr)?.[1] ?? '';
    expect(stdout + (program.title === 'psql' ? hint : '')).toBe(promised);
    if (program.title !== 'psql') expect(stderr).toBe('');

    await tick();
    expect(await recipients()).toEqual(['ann@example.org']);
    expect(await site.database.query('select customer from orders')).toEqual([
      { customer: 'ann@example.org' },
    ]);
    expect(
      await site.database.query(
        `select kind, payload, priority, unique_key, state, created_by = '${application.name}' as is_its_own
               from tend.tasks order by kind`,
      ),
    ).toEqual([
      {
        kind: 'resize-images',
        payload: { album: 7, width: 640 },
        priority: 0,
        unique_key: 'album-7',
        state: 'succeeded',
        is_its_own: true,
      },
      {
        kind: 'send-mail',
        payload: { to: 'ann@example.org', subject: 'Your order', text: 'Thank you.' },
        priority: -10,
        unique_key: null,
        state: 'succeeded',
        is_its_own: true,
      },
    ]);
    expect(
      await site.database.query(
        `select name, source, kind, payload, created_by = '${application.name}' as is_its_own,
                    to_char(next_slot at time zone 'Europe/Warsaw', 'dy HH24:MI') as next
               from tend.schedules`,
      ),
    ).toEqual([
      {
        name: 'report-7',
        source: 'sql',
        kind: 'send-report',
        payload: { report: 7 },
        is_its_own: true,
        next: 'mon 06:30',
      },
    ]);
  });
});

it('every program of the document is run, and so is every statement', async () => {
  const titles = blocks.flatMap(({ title }) => (title === '' ? [] : [title]));
  expect(titles.sort()).toEqual([...clientPrograms.map(({ title }) => title), 'What they print'].sort());
  const others = blocks.filter(({ title }) => title === '');
  expect(new Set(others.map(({ language }) => language))).toEqual(new Set(['sql']));
  for (const { text } of others) {
    await clientProgram('psql').run(text, { database: site.database, role: application.name });
  }
});

it('the document names every argument that the functions have', async () => {
  const document = await readFile(fileURLToPath(new URL('../../docs/sql-api.md', import.meta.url)), 'utf8');
  const sections = new Map(
    document.split(/^## `tend\./m).map((section) => [section.slice(0, section.indexOf('(')), section]),
  );
  const functions = await site.database.query<{ name: string; argument: string }>(
    `select proname as name, unnest(proargnames) as argument from pg_proc
      where pronamespace = 'tend'::regnamespace and has_function_privilege($1, oid, 'execute')`,
    [application.name],
  );
  expect(functions.length).toBeGreaterThan(20);
  // In the heading, or as the first cell of a table.
  const isNamed = (section: string, argument: string) =>
    new RegExp(`^[^\\n]*[(,] ?${argument}\\b|\`${argument} `).test(section);
  expect(functions.filter(({ name, argument }) => !isNamed(sections.get(name) ?? '', argument))).toEqual([]);
});
