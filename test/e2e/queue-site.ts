import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ConnectionSettings } from '../../src/connection/settings.ts';
import type { AttemptsTable, TasksTable } from '../../src/database/tables.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type CliResult, type RunCliOptions, runCli, type StartedCli, startCli } from '../support/run-cli.ts';
import { type CommandResult, runCommand } from '../support/run-command.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** One application: a migrated database, and a directory with its tend.toml, where the CLI is started. */
export interface QueueSite extends AsyncDisposable {
  database: TestDatabase;
  path: string;
  /** Writes tend.toml anew: `[database]` and the text given. */
  configure(toml: string): Promise<void>;
  /** Runs the built CLI as cron would. */
  tend(args: readonly string[], options?: RunCliOptions): Promise<CliResult>;
  start(args: readonly string[], options?: RunCliOptions): Promise<StartedCli>;
  /** Runs a command in this process, where no process of its own is needed to show what it says. */
  command(args: readonly string[], env?: Record<string, string>): Promise<CommandResult>;
  /** Enqueues by SQL, as an application does; `options` are the named arguments of tend.enqueue. */
  enqueue(kind: string, payload?: object, options?: EnqueueArguments): Promise<number>;
  task(id: number): Promise<TaskRow>;
  attempts(id: number): Promise<AttemptRow[]>;
  /** `application_name` of every session of tend in this database. */
  sessions(): Promise<string[]>;
  /** Lines of a file of the site's directory; none while there is no file. */
  lines(name: string): Promise<string[]>;
}

export type EnqueueArguments = Partial<
  Record<'queue' | 'unique_key' | 'mutex' | 'host' | 'run_at', string> &
    Record<'priority' | 'max_attempts', number>
>;
type Row<Table> = { [Column in keyof Table]: unknown };
export type TaskRow = Row<TasksTable>;
export type AttemptRow = Row<AttemptsTable>;

export async function createQueueSite(toml = ''): Promise<QueueSite> {
  const database = await createTestDatabase();
  const directory = await temporaryDirectory();
  const path = directory.path;
  const site: QueueSite = {
    database,
    path,
    configure: (text) =>
      writeFile(join(path, 'tend.toml'), `[database]\nurl = ${JSON.stringify(database.url)}\n${text}`),
    tend: (args, options) => runCli(args, { cwd: path, ...options }),
    start: (args, options) => startCli(args, { cwd: path, ...options }),
    command: (args, env = {}) => runCommand(args, { cwd: path, env }),
    async enqueue(kind, payload = {}, options = {}) {
      const named = Object.keys(options).map((name, index) => `, ${name} => $${index + 3}`);
      const params = [kind, JSON.stringify(payload), ...Object.values(options)];
      const rows = await database.query<{ id: string }>(
        `select tend.enqueue($1, $2${named.join('')}) as id`,
        params,
      );
      return Number(rows[0]?.id);
    },
    async task(id) {
      const rows = await database.query<TaskRow>('select * from tend.tasks where id = $1', [id]);
      const row = rows[0];
      if (row === undefined) throw new Error(`there is no task ${id}`);
      return row;
    },
    attempts: (id) =>
      database.query<AttemptRow>('select * from tend.attempts where task_id = $1 order by started_at', [id]),
    async sessions() {
      const rows = await database.query<{ application_name: string }>(
        `select application_name from pg_stat_activity where datname = $1 and application_name like 'tend %'`,
        [database.name],
      );
      return rows.map(({ application_name }) => application_name);
    },
    async lines(name) {
      const { readFile } = await import('node:fs/promises');
      const text = await readFile(join(path, name), 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '');
    },
    async [Symbol.asyncDispose]() {
      await directory[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
  await site.configure(toml);
  return site;
}

/** A `[tasks.kinds.*]` section whose command is a shell script. */
export function scriptKind(name: string, script: string, settings: Record<string, unknown> = {}): string {
  const command = JSON.stringify(['/bin/sh', '-c', script]);
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  return `[tasks.kinds.${name}]\ncommand = ${command}\n${lines.join('')}`;
}

/** The JSON object a command printed; fails the test with its stderr when it printed none. */
export function json(result: Pick<CliResult, 'stdout' | 'stderr'>): Record<string, unknown> {
  expect(result.stdout, `stdout of a command that said: ${result.stderr}`).toMatch(/^\{/);
  return JSON.parse(result.stdout);
}

/** The database over TCP, with the password in the URL. */
export function tcpUrl(options: {
  connection: ConnectionSettings;
  password: string;
  host?: string;
  port?: number;
  parameters?: string;
}): string {
  const { connection, password, host = '127.0.0.1', parameters = '' } = options;
  const port = options.port ?? connection.servers[0].port;
  const user = encodeURIComponent(connection.user);
  return `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${connection.database}?sslmode=disable${parameters}`;
}
