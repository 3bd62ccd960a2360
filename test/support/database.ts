import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import pg from 'pg';
import type { ConnectionSettings } from '../../src/connection/settings.ts';
import type { Database } from '../../src/database/tables.ts';
import { testRun } from './test-run.ts';

/** A database of one test file: a clone of the migrated template. */
export interface TestDatabase extends AsyncDisposable {
  name: string;
  /** Superuser over the unix socket. */
  connection: ConnectionSettings;
  /** The same as a URL, by way of the socket: no password in it. */
  url: string;
  /** PG* variables that lead here, for the spawned CLI and libpq's tools. */
  env: Record<string, string>;
  /** The product's own way in; dispose what it returns. */
  openDatabase(applicationName?: string): Promise<Kysely<Database>>;
  /** Rows of one statement, through a session that is gone again afterwards. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    sql: string,
    params?: readonly unknown[],
  ): Promise<Row[]>;
  /** A session to hold open across statements; end it. */
  connect(options?: pg.ClientConfig): Promise<pg.Client>;
}

/** A clone is a copy until it is made a database of its own. */
const adopt = `update tend.meta m set database_oid = d.oid, database_name = d.datname
  from pg_database d where d.datname = current_database()`;

/**
 * Creates a database for the test file that calls it (in `beforeAll`, or with `await using`).
 *
 * @param options.empty without the template's schema `tend`.
 */
export async function createTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const run = testRun();
  if (run.templateError !== undefined && options.empty !== true) {
    throw new Error(`The template database could not be migrated: ${run.templateError}`);
  }
  const name = `t_${randomBytes(6).toString('hex')}`;
  const place = { host: run.socketDirectory, port: run.port, user: run.superuser };
  const connect = async (config: pg.ClientConfig = {}) => {
    const client = new pg.Client({ ...place, database: name, application_name: 'test', ...config });
    client.on('error', () => {}); // a session that a test terminates must not end the test's process
    await client.connect();
    return client;
  };
  const template = options.empty === true ? 'template0' : run.template;
  await runOnce(connect({ database: 'postgres' }), `create database ${name} template ${template}`);
  if (options.empty !== true) await runOnce(connect(), adopt);
  const connection: ConnectionSettings = {
    servers: [{ host: run.socketDirectory, port: run.port }],
    database: name,
    user: run.superuser,
    sslMode: 'prefer',
    targetSessionAttrs: 'any',
    connectTimeoutMs: 10_000,
    origin: 'test',
  };
  return {
    name,
    connection,
    url: `postgresql://${run.superuser}@/${name}?host=${encodeURIComponent(run.socketDirectory)}&port=${run.port}`,
    env: { PGHOST: place.host, PGPORT: String(place.port), PGUSER: place.user, PGDATABASE: name },
    async openDatabase(applicationName = 'test') {
      const { openDatabase } = await import('../../src/database/open-database.ts');
      return openDatabase({ connection, applicationName });
    },
    async query<Row extends pg.QueryResultRow>(sql: string, params: readonly unknown[] = []) {
      return (await runOnce<Row>(connect(), sql, params)).rows;
    },
    connect,
    async [Symbol.asyncDispose]() {
      await runOnce(connect({ database: 'postgres' }), `drop database if exists ${name}`);
    },
  };
}

async function runOnce<Row extends pg.QueryResultRow>(
  connecting: Promise<pg.Client>,
  sql: string,
  params: readonly unknown[] = [],
): Promise<pg.QueryResult<Row>> {
  const client = await connecting;
  try {
    return await client.query<Row>(sql, [...params]);
  } finally {
    await client.end();
  }
}
