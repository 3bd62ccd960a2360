import { existsSync } from 'node:fs';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Database } from '../../src/database/tables.ts';

interface TemplateOptions {
  socketDirectory: string;
  port: number;
  superuser: string;
}

const migrateModule = new URL('../../src/database/migrate.ts', import.meta.url);

/**
 * Creates the database every test database is cloned from. A failing migration is handed on as text, so that tests
 * that need no database still run.
 */
export async function createTemplate(
  options: TemplateOptions,
): Promise<{ template: string; templateError: string | undefined }> {
  const template = 'tend_template';
  const server = { host: options.socketDirectory, port: options.port, user: options.superuser };
  const admin = new pg.Client({ ...server, database: 'postgres' });
  await admin.connect();
  try {
    await admin.query(`create database ${template}`);
    const templateError = await migrate({ ...server, database: template });
    await admin.query(`alter database ${template} with is_template true allow_connections false`);
    return { template, templateError };
  } finally {
    await admin.end();
  }
}

async function migrate(server: pg.PoolConfig): Promise<string | undefined> {
  if (!existsSync(migrateModule)) return undefined;
  const db = new Kysely<Database>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ ...server, max: 1 }) }),
  });
  try {
    const { migrateUp } = await import(migrateModule.href);
    await migrateUp({ db });
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    await db.destroy();
  }
}
