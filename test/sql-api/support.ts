import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { grantApplication } from '../../src/database/grant-application.ts';
import type { TestDatabase } from '../support/database.ts';

/** A role as an application has it: it may log in and use the SQL API, nothing else. */
export interface ApplicationRole extends AsyncDisposable {
  name: string;
  /** A session of that role; end it. */
  connect(): Promise<pg.Client>;
  /** SQLSTATE of what a statement of that role fails with; `ok` when it does not. */
  codeOf(sql: string): Promise<string>;
}

export async function createApplicationRole(
  database: TestDatabase,
  options: { name?: string; isGranted?: boolean } = {},
): Promise<ApplicationRole> {
  const name = options.name ?? `app_${randomBytes(6).toString('hex')}`;
  const quoted = pg.escapeIdentifier(name);
  await database.query(`create role ${quoted} login`);
  if (options.isGranted !== false) {
    const db = await database.openDatabase();
    try {
      await grantApplication({ db, role: name });
    } finally {
      await db.destroy();
    }
  }
  const connect = () => database.connect({ user: name });
  return {
    name,
    connect,
    async codeOf(sql) {
      const client = await connect();
      try {
        await client.query(sql);
        return 'ok';
      } catch (error) {
        return error instanceof pg.DatabaseError ? (error.code ?? '') : String(error);
      } finally {
        await client.end();
      }
    },
    async [Symbol.asyncDispose]() {
      await database.query(`drop owned by ${quoted} cascade; drop role ${quoted}`);
    },
  };
}
