import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse as parseToml } from 'smol-toml';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { configSchema } from '../../src/config/schema.ts';
import { mailMessageSchema } from '../../src/mail/compose/mail-message.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { fencedBlocks } from '../support/fenced-blocks.ts';
import { commandsIn, findCommandFaults } from '../support/find-command-faults.ts';

/** What readers copy from the guides: settings that the schema takes, commands that there are, SQL that runs. */
const guides = ['docs/recipes.md', 'docs/migrating.md', 'docs/demo.md'];
const documents = [...guides, 'docs/troubleshooting.md', 'README.md'];

const blocksOf = async (language: string, names = guides) =>
  (
    await Promise.all(
      names.map(async (name) => (await fencedBlocks(name)).map((block) => ({ name, ...block }))),
    )
  )
    .flat()
    .filter((block) => block.language === language);

const settings = await blocksOf('toml', [...guides, 'README.md']);

describe('the guides', () => {
  it.each(settings)('have settings that tend takes: a block of $name', ({ text }) => {
    const { issues = [] } = v.safeParse(configSchema, parseToml(text));
    expect(issues.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`)).toEqual([]);
  });

  it.each(documents)('%s calls commands and flags that there are', async (name) => {
    const commands = await commandsIn(name);
    expect(commands.length).toBeGreaterThan(0);
    expect((await Promise.all(commands.map(findCommandFaults))).flat()).toEqual([]);
  });

  it('name no flag in passing that there is not', async () => {
    const texts = await Promise.all(
      documents.map((name) => readFile(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8')),
    );
    const spans = texts.flatMap((text) =>
      [...text.matchAll(/`tend ([a-z][^`]*)`/g)].map(([, words = '']) => words),
    );
    const faults = await Promise.all(
      spans.map((words) => findCommandFaults(words.match(/'[^']*'|"[^"]*"|\S+/g) ?? [])),
    );
    expect(faults.flat()).toEqual([]);
  });

  it('have pipelines that are YAML', async () => {
    const found = await blocksOf('yaml');
    expect(found.map(({ text }) => typeof parseYaml(text))).toEqual(found.map(() => 'object'));
  });
});

describe('their SQL', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => await database[Symbol.asyncDispose]());

  it('enqueues, and its messages are such as tend sends', async () => {
    const sql = await blocksOf('sql');
    for (const { text } of sql) await database.query(text);
    const rows = await database.query<{ payload: unknown }>(
      `select payload from tend.tasks where kind = 'send-mail'`,
    );
    expect(rows.length).toBe(2);
    for (const { payload } of rows) expect(v.safeParse(mailMessageSchema, payload).issues).toBeUndefined();
  });
});

describe('README.md', () => {
  it('begins with what it is, the two commands, and a real session', async () => {
    const text = await readFile(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
    const firstScreen = text.split('\n').slice(0, 24).join('\n');
    expect(firstScreen).toMatch(/^# tend\n\n`tend` does the ops chores/);
    expect(firstScreen).toContain('\nnpm run quickstart ');
    expect(firstScreen).toContain('\nnpm test ');
    expect(firstScreen).toContain('\n$ tend run-due-tasks --drain\n');
  });
});

describe('links', () => {
  /** As GitHub makes anchors of headings. */
  const anchorOf = (heading: string) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');

  it.each([...documents, 'docs/reference.md', 'docs/operations.md', 'docs/mail.md'])(
    'of %s lead to documents and headings that there are',
    async (name) => {
      const read = (path: string) => readFile(fileURLToPath(new URL(path, import.meta.url)), 'utf8');
      const text = await read(`../../${name}`);
      const faults: string[] = [];
      for (const [, path = '', anchor] of text.matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
        const target = path === '' ? name : new URL(path, `file:///${name}`).pathname.slice(1);
        const content = await read(`../../${target}`).catch((error: NodeJS.ErrnoException) =>
          error.code === 'EISDIR' ? '' : undefined,
        );
        const anchors = [...(content ?? '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
          anchorOf(heading),
        );
        if (content === undefined || (anchor !== undefined && !anchors.includes(anchor)))
          faults.push(`${target}#${anchor ?? ''}`);
      }
      expect(faults).toEqual([]);
    },
  );
});
