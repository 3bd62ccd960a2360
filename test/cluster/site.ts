import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { ConnectionSettings } from '../../src/connection/settings.ts';
import type { Machine } from './network.ts';
import { superuserPassword } from './node.ts';
import { directory } from './start-on.ts';

const database = 'site';
const password = `cluster-${randomBytes(6).toString('hex')}`;
/** A line for each start of a command: task and attempt. */
export const startsFile = join(directory, 'starts');

/** A session of the superuser on one node. */
export async function connectTo(machine: Machine, name = database): Promise<pg.Client> {
  const client = new pg.Client({
    host: machine.address,
    user: 'postgres',
    password: superuserPassword,
    database: name,
    connectionTimeoutMillis: 3000,
    query_timeout: 10_000,
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** The database of the site: `tend` owns it, `app` may enqueue. */
export async function createSite(leader: Machine): Promise<void> {
  const client = await connectTo(leader, 'postgres');
  await client.query(`create role tend login password '${password}'`);
  await client.query(`create role app login password '${password}'`);
  await client.query(`create database ${database} owner tend`);
  await client.end();
}

/** What the application is given to connect with: every node, and the one that takes writes is meant. */
export function connectionOf(user: string, machines: readonly Machine[]): ConnectionSettings {
  const [first, ...others] = machines.map(({ address }) => ({ host: address, port: 5432, password }));
  if (first === undefined) throw new Error('A cluster without nodes.');
  return {
    servers: [first, ...others],
    database,
    user,
    sslMode: 'disable',
    targetSessionAttrs: 'read-write',
    connectTimeoutMs: 2000,
    origin: 'the test',
  };
}

/** The same on every host. */
const schedules = ['minutely-1', 'minutely-2', 'minutely-3'];
const everyMinute = 'cron = "* * * * *"\nkind = "quick"\ncatch_up = "all"\noverlap = "queue"\n';

/**
 * The directory of a host with its tend.toml. Its kinds: something short, something that is likely to be running when a
 * server is lost, and something that still is when there is another.
 */
export async function writeConfig(
  host: string,
  machines: readonly Machine[],
  lease: string,
): Promise<string> {
  const path = join(directory, host);
  await mkdir(path);
  const places = machines.map(({ address }) => address).join(',');
  const url = `postgresql://tend:${password}@${places}/${database}?target_session_attrs=read-write&connect_timeout=2&sslmode=disable`;
  const started = `echo "$TEND_TASK_ID $TEND_ATTEMPT" >> ${startsFile}`;
  const sections = [
    `[database]\nurl = "${url}"\n`,
    `[tasks]\nhost = "${host}"\nlease = "${lease}"\ndeadline = "3s"\n`,
    commandKind('quick', started),
    commandKind('lasting', `${started}; sleep 3`),
    commandKind('long', `${started}; sleep 25`),
    ...schedules.map((name) => `[schedules.${name}]\n${everyMinute}`),
  ];
  await writeFile(join(path, 'tend.toml'), sections.join(''));
  return path;
}

function commandKind(name: string, script: string): string {
  return `[tasks.kinds.${name}]\ncommand = ${JSON.stringify(['/bin/sh', '-c', script])}\n`;
}
