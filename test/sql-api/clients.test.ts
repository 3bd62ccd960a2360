import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testRun } from '../support/test-run.ts';
import { createQueue, type Queue, succeed } from '../tasks/support/queue.ts';
import { type ApplicationRole, createApplicationRole } from './support.ts';

let queue: Queue;
let application: ApplicationRole;

beforeAll(async () => {
  queue = await createQueue();
  application = await createApplicationRole(queue.database);
});
afterAll(async () => {
  await application[Symbol.asyncDispose]();
  await queue[Symbol.asyncDispose]();
});
beforeEach(async () => await queue.clear());

/** What a tick finds to run, by the payload's `n`. */
async function runsOf(): Promise<unknown[]> {
  const seen: unknown[] = [];
  await queue.tick({
    noop: async (task) => {
      seen.push(task.payload['n']);
      return await succeed(task);
    },
  });
  return seen;
}

describe('from psql', () => {
  async function psql(script: string): Promise<string> {
    const env = { PATH: '/usr/bin:/bin', ...queue.database.env, PGUSER: application.name };
    const options = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', script];
    const { stdout } = await promisify(execFile)(join(testRun().binaries, 'psql'), options, { env });
    return stdout.trim();
  }

  it('the application enqueues with named arguments, and the task runs', async () => {
    const id = await psql(`select tend.enqueue('noop', '{"n": "psql"}', priority => 3)`);
    expect(await runsOf()).toEqual(['psql']);
    expect(await psql(`select tend.task(${id})->>'state'`)).toBe('succeeded');
    expect(await psql(`select state from tend.task_overview where id = ${id}`)).toBe('succeeded');
  });

  it('a transaction that is rolled back leaves nothing to run', async () => {
    await psql(`begin; select tend.enqueue('noop', '{"n": "psql"}'); rollback;`);
    expect(await runsOf()).toEqual([]);
  });
});

/** `-I` keeps site packages of a person's own out; the two are Debian's python3-sqlalchemy and python3-psycopg2. */
const python = '/usr/bin/python3';
const hasSqlAlchemy = spawnSync(python, ['-I', '-c', 'import sqlalchemy, psycopg2']).status === 0;
const reason = hasSqlAlchemy ? '' : ' (skipped: /usr/bin/python3 has no sqlalchemy and psycopg2)';

describe.skipIf(!hasSqlAlchemy)(`from a SQLAlchemy session${reason}`, () => {
  async function runPython(script: string): Promise<string> {
    const host = testRun().socketDirectory;
    const env = {
      PATH: '/usr/bin:/bin',
      URL: `postgresql+psycopg2://${application.name}@/${queue.database.name}`,
    };
    const program = `
import os
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
engine = create_engine(os.environ["URL"], connect_args={"host": ${JSON.stringify(host)}, "port": ${testRun().port}})
enqueue = text("select tend.enqueue('noop', cast(:payload as jsonb), unique_key => :key)")
${script}
engine.dispose()
`;
    const { stdout } = await promisify(execFile)(python, ['-I', '-c', program], { env });
    return stdout.trim();
  }

  it('a transaction that is rolled back leaves nothing to run', async () => {
    await runPython(`
with Session(engine) as session:
    session.execute(enqueue, {"payload": '{"n": 1}', "key": None})
    session.rollback()
`);
    expect(await runsOf()).toEqual([]);
  });

  it('a transaction that ends with an exception leaves nothing to run', async () => {
    await runPython(`
try:
    with Session(engine) as session, session.begin():
        session.execute(enqueue, {"payload": '{"n": 1}', "key": "k"})
        raise ValueError("the order was not placed")
except ValueError:
    pass
`);
    expect(await runsOf()).toEqual([]);
  });

  it('a transaction that is committed runs, once', async () => {
    const id = await runPython(`
with Session(engine) as session:
    print(session.execute(enqueue, {"payload": '{"n": "zażółć"}', "key": None}).scalar_one())
    session.commit()
`);
    expect(await runsOf()).toEqual(['zażółć']);
    expect(await runsOf()).toEqual([]);
    expect(await queue.task(Number(id))).toMatchObject({ state: 'succeeded', created_by: application.name });
  });

  it('a savepoint that is rolled back takes its task along and leaves the others', async () => {
    await runPython(`
with Session(engine) as session:
    session.execute(enqueue, {"payload": '{"n": "kept"}', "key": None})
    with session.begin_nested() as savepoint:
        session.execute(enqueue, {"payload": '{"n": "dropped"}', "key": None})
        savepoint.rollback()
    session.commit()
`);
    expect(await runsOf()).toEqual(['kept']);
  });
});
