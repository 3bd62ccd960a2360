import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type ApplicationRole, createApplicationRole } from './support.ts';

let database: TestDatabase;
let application: ApplicationRole;
let stranger: ApplicationRole;

beforeAll(async () => {
  database = await createTestDatabase();
  application = await createApplicationRole(database);
  stranger = await createApplicationRole(database, { isGranted: false });
});
afterAll(async () => {
  await application[Symbol.asyncDispose]();
  await stranger[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const denied = '42501';

describe('the role of an application', () => {
  it('enqueues, cancels, retries, looks at a task, schedules, and reads the three views', async () => {
    const client = await application.connect();
    const one = async (sql: string, ...params: unknown[]) => (await client.query(sql, params)).rows[0];
    const { id } = await one(`select tend.enqueue('noop', '{"a": 1}') as id`);
    expect(await one('select tend.cancel($1) as result', id)).toEqual({ result: 'cancelled' });
    expect(await one('select tend.retry($1) as result', id)).toEqual({ result: 'waiting' });
    expect((await one('select tend.task($1) as task', id)).task).toMatchObject({ payload: { a: 1 } });
    expect(await one('select id, due from tend.task_overview')).toEqual({ id, due: true });
    const schedule = `tend.schedule('report', '30 6 * * mon', 'noop', timezone => 'Europe/Warsaw')`;
    expect(await one(`select ${schedule} as result`)).toEqual({ result: 'created' });
    expect(await one('select name, source, created_by from tend.schedule_overview')).toEqual({
      name: 'report',
      source: 'sql',
      created_by: application.name,
    });
    expect(await one(`select tend.unschedule('report') as result`)).toEqual({ result: true });
    expect(Number((await one(`select tend.attach('\\x00ff', 'a.bin') as id`)).id)).toBeGreaterThan(0);
    expect(await one('select ok, problems from tend.health')).toEqual({
      ok: false,
      problems: ['no tick has ever run', '1 due of a kind nobody knows'],
    });
    await client.end();
  });

  it('stands on the row as who made it', async () => {
    expect(await application.codeOf(`select tend.enqueue('noop', unique_key => 'mine')`)).toBe('ok');
    const rows = await database.query(`select created_by from tend.tasks where unique_key = 'mine'`);
    expect(rows).toEqual([{ created_by: application.name }]);
  });

  it('has no right on any table, view or sequence but the three views', async () => {
    const relations = await database.query<{ name: string; kind: string; rights: string[] }>(
      `select c.relname as name, c.relkind as kind, array(
          select right_name from unnest(case when c.relkind = 'S' then array['USAGE', 'SELECT', 'UPDATE']
              else array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'] end) as right_name
           where case when c.relkind = 'S' then has_sequence_privilege($1, c.oid, right_name)
                      else has_table_privilege($1, c.oid, right_name) end) as rights
         from pg_class c where c.relnamespace = 'tend'::regnamespace and c.relkind in ('r', 'v', 'm', 'S', 'p', 'f')`,
      [application.name],
    );
    expect(relations.length).toBeGreaterThan(9);
    const allowed = relations.filter(({ rights }) => rights.length > 0);
    expect(allowed.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
      { name: 'health', kind: 'v', rights: ['SELECT'] },
      { name: 'schedule_overview', kind: 'v', rights: ['SELECT'] },
      { name: 'task_overview', kind: 'v', rights: ['SELECT'] },
    ]);
  });

  it('may execute the nine functions and no other of the schema, and make nothing in it', async () => {
    const mayExecute = async (role: string) => {
      const rows = await database.query<{ name: string }>(
        `select proname as name from pg_proc
          where pronamespace = 'tend'::regnamespace and has_function_privilege($1, oid, 'EXECUTE') order by 1`,
        [role],
      );
      return rows.map(({ name }) => name);
    };
    expect(await mayExecute(application.name)).toEqual([
      'attach',
      'cancel',
      'enqueue',
      'retry',
      'schedule',
      'suppress',
      'task',
      'unschedule',
      'unsuppress',
    ]);
    expect(await mayExecute(stranger.name)).toEqual([]);
    expect(await application.codeOf('create table tend.mine (id int)')).toBe(denied);
    expect(await application.codeOf(`create function tend.enqueue(a int) returns int return 1`)).toBe(denied);
  });

  it.each([
    'select payload from tend.tasks',
    `insert into tend.tasks (kind) values ('noop')`,
    `update tend.tasks set state = 'waiting'`,
    'delete from tend.tasks',
    'truncate tend.tasks',
    'select * from tend.attempts',
    `insert into tend.kinds values ('evil', 'config', 1, 'retry')`,
    `update tend.task_overview set state = 'waiting'`,
    'delete from tend.task_overview',
    `insert into tend.schedules (name, source, cron, kind) values ('mine', 'sql', '@daily', 'noop')`,
    'update tend.schedules set enabled = true',
    'select payload from tend.schedules',
    `insert into tend.pauses (scope, name) values ('queue', 'default')`,
    'select tend.adopt()',
    `select nextval('tend.tasks_id_seq')`,
    'select raw from tend.deliveries',
    'select address from tend.suppressions',
    'select content from tend.attachments',
    'delete from tend.attachments',
    'alter function tend.cancel(bigint) security invoker',
    'create trigger t before insert on tend.tasks execute function suppress_redundant_updates_trigger()',
  ])('is denied: %s', async (sql) => {
    expect(await application.codeOf(sql)).toBe(denied);
  });

  it('cannot name a command: a payload is data, and a kind is a name', async () => {
    const payload = `{"command": ["rm", "-rf", "/"]}`;
    expect(await application.codeOf(`select tend.enqueue('noop', '${payload}')`)).toBe('ok');
    expect(await application.codeOf(`select tend.enqueue('/bin/sh')`)).toBe('22023');
    expect(await application.codeOf(`select tend.enqueue('noop', command => 'sh')`)).toBe('42883');
    expect(await application.codeOf(`select tend.schedule('mine', '@daily', '/bin/sh')`)).toBe('22023');
    const columns = await database.query(
      `select column_name from information_schema.columns where table_schema = 'tend' and column_name ~ 'command|argv|shell'`,
    );
    expect(columns).toEqual([]);
  });
});

describe('any other role', () => {
  it.each([
    `select tend.enqueue('noop')`,
    'select tend.cancel(1)',
    'select tend.retry(1)',
    'select tend.task(1)',
    `select tend.schedule('mine', '@daily', 'noop')`,
    `select tend.unschedule('mine')`,
    `select tend.suppress('a@x.test')`,
    `select tend.unsuppress('a@x.test')`,
    `select tend.attach('x', 'a.txt')`,
    'select * from tend.schedule_overview',
    'select * from tend.health',
    'select * from tend.task_overview',
  ])('is denied: %s', async (sql) => {
    expect(await stranger.codeOf(sql)).toBe(denied);
  });
});

describe('granting', () => {
  it('may be repeated', async () => {
    await using again = await createApplicationRole(database);
    const { grantApplication } = await import('../../src/database/grant-application.ts');
    await using db = await database.openDatabase();
    await grantApplication({ db, role: again.name });
    expect(await again.codeOf('select * from tend.health')).toBe('ok');
  });

  it('by many at once is done by one after the other', async () => {
    await using role = await createApplicationRole(database, { isGranted: false });
    const { grantApplication } = await import('../../src/database/grant-application.ts');
    for (let round = 0; round < 5; round++) {
      const sessions = await Promise.all(Array.from({ length: 5 }, () => database.openDatabase()));
      try {
        await Promise.all(sessions.map((db) => grantApplication({ db, role: role.name })));
      } finally {
        await Promise.all(sessions.map((db) => db.destroy()));
      }
    }
    expect(await role.codeOf('select * from tend.health')).toBe('ok');
  });

  it.each(['my.app', 'My "App"', 'user', 'ünï'])('works for a role named %s', async (name) => {
    await using role = await createApplicationRole(database, { name: `${name} of ${database.name}` });
    expect(await role.codeOf(`select tend.enqueue('noop')`)).toBe('ok');
  });

  it('to a role that is not there grants nothing and names it', async () => {
    const { grantApplication } = await import('../../src/database/grant-application.ts');
    await using db = await database.openDatabase();
    await expect(grantApplication({ db, role: 'nobody.here' })).rejects.toThrow('nobody.here');
  });
});
