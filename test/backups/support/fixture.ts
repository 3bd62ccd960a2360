import { dirname, join } from 'node:path';
import { parse } from 'valibot';
import { createBackup } from '../../../src/backups/create/create-backup.ts';
import { settleRestore } from '../../../src/backups/cut-over/settle-restore.ts';
import type { SettledRestore, SettleRestoreOptions } from '../../../src/backups/cut-over/settlement.ts';
import { restoreBackup } from '../../../src/backups/restore/restore-backup.ts';
import type { RestoreBackupOptions, RestoreResult } from '../../../src/backups/restore/restore-options.ts';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { systemClock } from '../../../src/clock.ts';
import { type Config, configSchema } from '../../../src/config/schema.ts';
import { progressToLog, silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import type { TestDatabase } from '../../support/database.ts';

/** A database with what dumps and restores stumble over: quoted names, several schemas, generated and identity columns, sequences, partitions, large objects, a materialized view, an extension. */
export const fixtureSql = `
  create schema "Odd ""name""";
  create extension if not exists pg_trgm;
  create table public.pages (
    id bigint primary key generated always as identity,
    title text not null, words text generated always as (lower(title)) stored, body jsonb);
  create index pages_trigram on public.pages using gin (title gin_trgm_ops);
  insert into public.pages (title, body)
    select 'Page ' || n || E'\\nwith "quotes", tab\\t and ünïcode', jsonb_build_object('n', n) from generate_series(1, 500) n;
  create table "Odd ""name"""."Order; drop" (id serial primary key, "select" text, page_id bigint references public.pages);
  insert into "Odd ""name"""."Order; drop" ("select", page_id) select 'x' || n, n from generate_series(1, 77) n;
  create table public.events (at date not null, n int) partition by range (at);
  create table public.events_2025 partition of public.events for values from ('2025-01-01') to ('2026-01-01');
  create table public.events_2026 partition of public.events for values from ('2026-01-01') to ('2027-01-01');
  insert into public.events select date '2025-06-01' + n, n from generate_series(1, 400) n;
  create sequence public.tickets start 1000 increment 5;
  select nextval('public.tickets') from generate_series(1, 7);
  create sequence public.unused;
  create materialized view public.titles as select title from public.pages where id < 10;
  create view public.recent as select * from public.pages order by id desc limit 5;
  create function public.page_count() returns bigint language sql as 'select count(*) from public.pages';
  select lo_from_bytea(0, decode(repeat('00ff', 40000), 'hex'));
  select lo_from_bytea(0, 'second');
`;

export interface SetUp {
  database: TestDatabase;
  directory: string;
  config?: Partial<Config['backup']>;
}

export function configFor({ directory, config }: Pick<SetUp, 'directory' | 'config'>): Config {
  const parsed = parse(configSchema, { backup: { directory, compression: 'zstd:1' } });
  return { ...parsed, backup: { ...parsed.backup, ...config } };
}

const common = {
  clock: systemClock,
  env: process.env,
  secrets: new SecretRegistry(),
  log: silentLog,
  progress: progressToLog(silentLog),
};

/** Takes a backup of the test database as the command would. */
export async function takeBackup(
  options: SetUp & {
    signal?: AbortSignal;
    env?: NodeJS.ProcessEnv;
    includeFiles?: 'yes' | 'no';
    jobs?: number;
  },
): Promise<BackupSet> {
  const { database } = options;
  const db = await database.openDatabase('tend backup test');
  try {
    return await createBackup({
      ...common,
      config: configFor(options),
      baseDirectory: '/',
      connection: database.connection,
      db,
      label: null,
      taskId: null,
      includeFiles: options.includeFiles ?? 'yes',
      jobs: options.jobs,
      host: 'testhost',
      signal: options.signal ?? new AbortController().signal,
      ...(options.env && { env: options.env }),
    });
  } finally {
    await db.destroy();
  }
}

/** Restores a set as the handler of kind `restore` would. */
export async function restore(
  options: { database: TestDatabase; set: BackupSet } & Partial<RestoreBackupOptions>,
): Promise<RestoreResult> {
  const { database, set, ...rest } = options;
  const db = await database.openDatabase('tend restore test');
  try {
    return await restoreBackup({
      ...common,
      set,
      connection: database.connection,
      db,
      applicationName: 'tend restore test',
      into: undefined,
      app: {},
      lockDirectory: undefined,
      journalDirectory: join(dirname(set.path), '.restores'),
      source: set.path,
      taskId: null,
      keepReplacedMs: 7 * 86_400_000,
      toolsDirectory: undefined,
      workDirectory: dirname(set.path),
      jobs: 2,
      signal: new AbortController().signal,
      ...rest,
    });
  } finally {
    await db.destroy();
  }
}

/** Ends a restore that was killed, or takes one back, as the handler of kind `restore` would. */
export async function settle(
  options: { database: TestDatabase; directory: string } & Pick<SettleRestoreOptions, 'way'> &
    Partial<SettleRestoreOptions>,
): Promise<SettledRestore> {
  const { database, directory, ...rest } = options;
  const db = await database.openDatabase('tend restore test');
  try {
    return await settleRestore({
      ...common,
      ...{ connection: database.connection, db, applicationName: 'tend restore test' },
      ...{ app: {}, lockDirectory: undefined, toolsDirectory: undefined },
      journalDirectory: join(directory, '.restores'),
      workDirectory: directory,
      ...{ restoreId: undefined, taskId: null, keepReplacedMs: 7 * 86_400_000 },
      signal: new AbortController().signal,
      ...rest,
    });
  } finally {
    await db.destroy();
  }
}

/** Names of the databases that exist beside `name` because of it. */
export async function companionsOf(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ datname: string }>(
    `select datname from pg_database where datname like $1 and datname <> $2 order by 1`,
    [`${database.name}%`, database.name],
  );
  return rows.map(({ datname }) => datname);
}

/** Drops what a test made beside its database. */
export async function dropCompanions(database: TestDatabase): Promise<void> {
  for (const name of await companionsOf(database))
    await database.query(`drop database "${name.replaceAll('"', '""')}" with (force)`);
}
