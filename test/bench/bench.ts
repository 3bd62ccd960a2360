import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { ConnectionSettings } from '../../src/connection/settings.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { createRunDirectory } from '../support/run-directory.ts';
import { createTemplate } from '../support/template.ts';

/** A database of one side of a comparison, with a directory whose files lead a program to it. */
export interface BenchDatabase {
  url: string;
  connection: ConnectionSettings;
  /** Holds `tend.toml` and graphile-worker's `tasks/noop.js`. */
  directory: string;
  /** For filling and looking; open as long as the bench. */
  client: pg.Client;
}

/** What every benchmark works with: a private cluster at PostgreSQL's own durability. Disposing removes it all. */
export interface Bench extends AsyncDisposable {
  /** Pairs each comparison is made of. */
  pairs: number;
  home: string;
  serverVersion: string;
  serverLog: string;
  createDatabase(name: string, options: { isMigrated: boolean }): Promise<BenchDatabase>;
  dropDatabase(database: BenchDatabase): Promise<void>;
  /** Another session in the database; disposing closes it. */
  openSession(database: BenchDatabase): Promise<AsyncDisposable & { client: pg.Client }>;
}

/** Default durability, not the suite's: fsync, full page writes and synchronous commit are on. */
const settings = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  jit: 'on',
  shared_buffers: '256MB',
  log_connections: 'on',
};

/** Starts the cluster; takes some seconds. */
export async function openBench({ pairs }: { pairs: number }): Promise<Bench> {
  const run = await createRunDirectory(randomBytes(6).toString('hex'));
  const cluster = await startCluster({ parentDirectory: run.path, settings });
  const { socketDirectory } = cluster;
  const { template, templateError } = await createTemplate(cluster);
  if (templateError !== undefined) throw new Error(templateError);
  const admin = await connect(cluster, 'postgres');
  const open = new Set<pg.Client>([admin]);
  const { rows } = await admin.query<{ server_version: string }>('show server_version');
  const serverVersion = rows[0]?.server_version ?? '';
  const home = join(run.path, 'home');
  await mkdir(home, { mode: 0o700 });
  return {
    pairs,
    home,
    serverVersion,
    serverLog: join(socketDirectory, 'log'),
    async createDatabase(name, { isMigrated }) {
      await admin.query(`create database ${name} template ${isMigrated ? template : 'template0'}`);
      const client = await connect(cluster, name);
      open.add(client);
      if (isMigrated) await client.query('select tend.adopt()');
      return { ...(await prepareDirectory({ cluster, name, path: join(run.path, name) })), client };
    },
    async dropDatabase({ client, connection }) {
      open.delete(client);
      await client.end();
      await admin.query(`drop database ${connection.database} with (force)`);
    },
    async openSession({ connection }) {
      const client = await connect(cluster, connection.database);
      return { client, [Symbol.asyncDispose]: () => client.end() };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...open].map((client) => client.end()));
      await cluster[Symbol.asyncDispose]();
      await rm(run.path, { recursive: true, force: true });
    },
  };
}

async function connect({ socketDirectory, port, superuser }: Cluster, database: string): Promise<pg.Client> {
  const client = new pg.Client({
    ...{ host: socketDirectory, port, user: superuser, database },
    application_name: 'bench',
  });
  await client.connect();
  return client;
}

async function prepareDirectory({ cluster, name, path }: { cluster: Cluster; name: string; path: string }) {
  const { socketDirectory: host, port, superuser: user } = cluster;
  const url = `postgresql://${user}@/${name}?host=${encodeURIComponent(host)}&port=${port}`;
  await mkdir(join(path, 'tasks'), { recursive: true });
  await writeFile(join(path, 'tend.toml'), `[database]\nurl = "${url}"\n`);
  await writeFile(join(path, 'tasks', 'noop.js'), 'module.exports = async () => {};\n');
  const connection: ConnectionSettings = {
    servers: [{ host, port }],
    database: name,
    user,
    sslMode: 'prefer',
    targetSessionAttrs: 'any',
    connectTimeoutMs: 10_000,
    origin: 'bench',
  };
  return { url, connection, directory: path };
}
