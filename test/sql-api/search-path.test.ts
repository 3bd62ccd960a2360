import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type ApplicationRole, createApplicationRole } from './support.ts';

let database: TestDatabase;
let application: ApplicationRole;

beforeAll(async () => {
  database = await createTestDatabase();
  application = await createApplicationRole(database);
  // The worst case: the application may create whatever it likes in "public".
  await database.query(`grant create, usage on schema public to public; create table public.loot (who text)`);
  await database.query(`grant insert on public.loot to public`);
});
afterAll(async () => {
  await application[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => void (await database.query('truncate public.loot, tend.tasks cascade')));

/** Every function of the SQL API on every road through it, as the application calls it. */
async function callEverything(prepare: string): Promise<void> {
  const client = await application.connect();
  try {
    await client.query(prepare);
    const enqueue = `select tend.enqueue('noop', '{"a": 1}', unique_key => $1) as id`;
    const { rows } = await client.query<{ id: string }>(enqueue, ['one']);
    const id = rows[0]?.id;
    await client.query(enqueue, ['one']);
    for (const call of ['cancel', 'retry', 'task', 'cancel']) {
      await client.query(`select tend.${call}($1)`, [id]);
    }
    await client.query(`select tend.enqueue('noop', host => 'x', run_at => now(), max_attempts => 2)`);
    await client.query('select * from tend.task_overview; select * from tend.health');
  } finally {
    await client.end();
  }
}

async function runAs(): Promise<string[]> {
  const rows = await database.query<{ who: string }>('select distinct who from public.loot');
  return rows.map(({ who }) => who).filter((who) => who !== application.name);
}

/** A function that leaves the name of whom it ran as. */
const trap = (name: string, args: string, returns: string, result: string) => `
  create or replace function ${name}(${args}) returns ${returns} language plpgsql as $$
  begin
    insert into public.loot values (current_user);
    return ${result};
  end $$;`;

const domains = [
  ...['text', 'jsonb', 'int8', 'int4', 'int2', 'bool', 'timestamptz', 'uuid', 'interval', 'record'],
] as const;

describe('an application that may create objects', () => {
  it('gains nothing from functions of its own that hide built-in ones', async () => {
    const functions = [
      trap('public.now', '', 'timestamptz', 'pg_catalog.now()'),
      trap('public.jsonb_typeof', 'jsonb', 'text', `'object'`),
      trap('public.least', 'int, int', 'int', '$1'),
      trap('public.to_jsonb', 'anyelement', 'jsonb', 'pg_catalog.to_jsonb($1)'),
      trap('public.texteq_', 'text, text', 'boolean', 'true'),
      `create operator public.= (function = public.texteq_, leftarg = text, rightarg = text);`,
      `create operator public.<> (function = public.texteq_, leftarg = text, rightarg = text);`,
      `create operator public.!~ (function = public.texteq_, leftarg = text, rightarg = text);`,
    ];
    await callEverything(`${functions.join('')} set search_path = public, pg_catalog`);
    expect(await runAs()).toEqual([]);
  });

  it('gains nothing from tables of its own that hide the queue', async () => {
    await callEverything(`
      create temp table tasks (id bigint); create temp table kinds (kind text, mutex text);
      create temp table pg_class (oid oid); set search_path = pg_temp, public`);
    expect(await runAs()).toEqual([]);
  });

  it.each(domains)('gains nothing from a temporary type that hides "%s"', async (type) => {
    const base = type === 'record' ? 'text' : type;
    // A domain's CHECK runs as whoever casts to it.
    await callEverything(`
      ${trap('pg_temp.trap', `value pg_catalog.${base}`, 'pg_catalog.bool', 'true')}
      create domain pg_temp.${type} as pg_catalog.${base} check (pg_temp.trap(value))`);
    expect(await runAs()).toEqual([]);
  });
});
