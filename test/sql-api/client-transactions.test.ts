import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createQueue, type Queue, succeed } from '../tasks/support/queue.ts';
import { clientProgram } from './client-programs.ts';
import { type ApplicationRole, createApplicationRole } from './support.ts';

/** What each driver makes of transactions: which of the tasks that a script enqueues are there afterwards. */
let queue: Queue;
let application: ApplicationRole;

beforeAll(async () => {
  queue = await createQueue();
  application = await createApplicationRole(queue.database);
  await queue.database.query(
    `create table orders (id serial primary key, customer text not null); alter table orders owner to ${application.name}`,
  );
});
afterAll(async () => {
  await application[Symbol.asyncDispose]();
  await queue[Symbol.asyncDispose]();
});
beforeEach(async () => await queue.clear());

interface Case {
  name: string;
  script: string;
  /** Payloads' `n` of the tasks that run. */
  runs: string[];
  /** What the script ends with, where it does not end well. */
  fails?: RegExp;
}

const sqlAlchemy: Case[] = [
  {
    name: 'a session that is rolled back leaves nothing to run',
    script: `
with Session(engine) as session:
    session.execute(enqueue, {"n": "dropped"})
    session.rollback()`,
    runs: [],
  },
  {
    name: 'a transaction that ends with an exception leaves nothing to run',
    script: `
try:
    with Session(engine) as session, session.begin():
        session.execute(enqueue, {"n": "dropped"})
        raise ValueError("the order was not placed")
except ValueError:
    pass`,
    runs: [],
  },
  {
    name: 'a session that is committed runs',
    script: `
with Session(engine) as session:
    session.execute(enqueue, {"n": "zażółć"})
    session.commit()`,
    runs: ['zażółć'],
  },
  {
    name: 'a savepoint that is rolled back takes its task along and leaves the others',
    script: `
with Session(engine) as session:
    session.execute(enqueue, {"n": "kept"})
    with session.begin_nested() as savepoint:
        session.execute(enqueue, {"n": "dropped"})
        savepoint.rollback()
    session.commit()`,
    runs: ['kept'],
  },
  {
    name: 'a connection that is closed without a commit leaves nothing to run',
    script: `
with engine.connect() as connection:
    connection.execute(enqueue, {"n": "dropped"})`,
    runs: [],
  },
  {
    name: 'a parameter before "::" is not seen',
    script: `
from sqlalchemy.exc import ProgrammingError
try:
    with engine.begin() as connection:
        connection.execute(text("select tend.enqueue('noop', :payload::jsonb)"), {"payload": "{}"})
except ProgrammingError:
    with engine.begin() as connection:
        connection.execute(enqueue, {"n": "syntax error"})`,
    runs: ['syntax error'],
  },
];

const django: Case[] = [
  {
    name: 'outside atomic each call is committed by itself',
    script: `
try:
    enqueue("kept")
    raise ValueError()
except ValueError:
    pass`,
    runs: ['kept'],
  },
  {
    name: 'an inner atomic that fails takes its task along and leaves the others',
    script: `
with transaction.atomic():
    enqueue("kept")
    try:
        with transaction.atomic():
            enqueue("dropped")
            raise ValueError()
    except ValueError:
        pass`,
    runs: ['kept'],
  },
];

const rails: Case[] = [
  {
    name: 'two calls with the same arguments are two tasks, also where the request caches its queries',
    script: `
Order.cache do
  2.times { enqueue("exec_query") }
  2.times { Order.connection.select_value("select tend.enqueue('noop', '{\\"n\\": \\"select_value\\"}')") }
end`,
    runs: ['exec_query', 'exec_query', 'select_value'],
  },
  {
    name: 'an inner transaction that is rolled back takes its task along and leaves the others',
    script: `
Order.transaction do
  enqueue("kept")
  Order.transaction(requires_new: true) do
    enqueue("dropped")
    raise ActiveRecord::Rollback
  end
end`,
    runs: ['kept'],
  },
];

const phpPdo: Case[] = [
  {
    name: 'a transaction that the script does not end leaves nothing to run',
    script: `$pdo->beginTransaction(); enqueue('dropped');`,
    runs: [],
  },
  {
    name: 'outside a transaction each call is committed by itself',
    script: `enqueue('kept');`,
    runs: ['kept'],
  },
];

const psql: Case[] = [
  {
    name: 'a script that fails before its commit leaves nothing to run',
    script: `begin; select tend.enqueue('noop', '{"n": "dropped"}'); select 1 / 0; commit;`,
    runs: [],
    fails: /division by zero/,
  },
];

const clients = [
  {
    title: 'SQLAlchemy',
    cases: sqlAlchemy,
    before: `
import os
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
engine = create_engine(os.environ["DATABASE_URL"])
enqueue = text("select tend.enqueue('noop', jsonb_build_object('n', cast(:n as text)))")`,
  },
  {
    title: 'Django',
    cases: django,
    before: `
from django.db import connection, transaction
def enqueue(n):
    with connection.cursor() as cursor:
        cursor.execute("select tend.enqueue('noop', jsonb_build_object('n', %s::text))", [n])`,
  },
  {
    title: 'Rails',
    cases: rails,
    before: `
def enqueue(n)
  Order.connection.exec_query(Order.sanitize_sql(["select tend.enqueue('noop', ?)", { n: n }.to_json]))
end`,
  },
  {
    title: 'PHP PDO',
    cases: phpPdo,
    before: `<?php
$pdo = new PDO(getenv('DATABASE_DSN'));
function enqueue(string $n): void
{
    global $pdo;
    $pdo->prepare("select tend.enqueue('noop', ?)")->execute([json_encode(['n' => $n])]);
}`,
  },
  { title: 'psql', cases: psql, before: '' },
];

/** What a tick finds to run, by the payload's `n`. */
async function runsOf(): Promise<string[]> {
  const seen: string[] = [];
  await queue.tick({
    noop: async (task) => {
      seen.push(String(task.payload['n']));
      return await succeed(task);
    },
  });
  return seen.sort((a, b) => a.localeCompare(b));
}

describe.each(clients)('with $title', ({ title, cases, before }) => {
  const program = clientProgram(title);
  it.for(cases)('$name', async ({ script, runs, fails = /^$/ }, { skip }) => {
    skip(!program.isInstalled, program.whySkipped);
    const as = { database: queue.database, role: application.name };
    const failure = await program.run(`${before}\n${script}\n`, as).then(() => '', String);
    expect(failure).toMatch(fails);
    expect(await runsOf()).toEqual(runs);
  });
});
