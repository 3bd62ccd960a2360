import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { debianPackage } from './debian-package.ts';
import { freePort } from './free-port.ts';
import { giveTo } from './initialise-cluster.ts';
import { asUser, serverEnvironment } from './server-process.ts';
import { testRun } from './test-run.ts';
import { unprivilegedUser } from './unprivileged-user.ts';

const program = findProgram();

/** Debian's pgbouncer is there, or can be fetched; where neither is so: apt-get install pgbouncer. */
export const hasPgbouncer = program !== undefined;

/** As installed, else out of Debian's packages, unpacked without being installed. */
function findProgram(): { path: string; libraries?: string } | undefined {
  const installed = '/usr/sbin/pgbouncer';
  if (existsSync(installed)) return { path: installed };
  const [root, resolver] = ['pgbouncer', 'libc-ares2'].map(debianPackage);
  if (root === undefined || resolver === undefined) return undefined;
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  const found = { path: join(root, 'usr/sbin/pgbouncer'), libraries: join(resolver, 'usr/lib', triplet) };
  // What else it needs may be missing.
  const env = { LD_LIBRARY_PATH: found.libraries };
  return spawnSync(found.path, ['--version'], { env }).status === 0 ? found : undefined;
}

/** A pgbouncer in transaction mode in front of the suite's server, on 127.0.0.1, with SCRAM as a real one has. */
export interface Pgbouncer extends AsyncDisposable {
  port: number;
  /** Rows of a command of its admin console: `show clients`. */
  admin(command: string): Promise<Record<string, string>[]>;
  log(): Promise<string>;
}

/** @param settings over those here: `{ default_pool_size: '1' }`. */
export async function startPgbouncer(settings: Record<string, string>): Promise<Pgbouncer> {
  const { temporaryDirectory, superuser, password } = testRun();
  const user = unprivilegedUser();
  const directory = await mkdtemp(join(temporaryDirectory, 'pgbouncer-'));
  await giveTo(directory, user);
  const port = await freePort();
  const file = join(directory, 'pgbouncer.ini');
  const logfile = join(directory, 'log');
  await writeFile(join(directory, 'users.txt'), `"${superuser}" "${password.replaceAll('"', '""')}"\n`);
  await writeFile(file, settingsText({ settings: { logfile, ...settings }, directory, port }));
  if (program === undefined) throw new Error('There is no pgbouncer.');
  const { path, libraries } = program;
  const env = { ...serverEnvironment(), ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }) };
  const [command, args] = asUser(user, path, [file]);
  const server = spawn(command, args, { cwd: '/', env, stdio: 'ignore' });
  const admin = async (command: string): Promise<Record<string, string>[]> => {
    const place = { host: '127.0.0.1', port, user: superuser, password, database: 'pgbouncer' };
    const client = new pg.Client(place);
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Record<string, string>>(command)).rows;
    } finally {
      await client.end();
    }
  };
  await answering(admin, server);
  return {
    port,
    admin,
    log: () => readFile(logfile, 'utf8'),
    async [Symbol.asyncDispose]() {
      if (server.exitCode === null && server.signalCode === null) {
        server.kill('SIGKILL');
        await once(server, 'exit');
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function settingsText(options: {
  settings: Record<string, string>;
  directory: string;
  port: number;
}): string {
  const { socketDirectory, port, superuser } = testRun();
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: String(options.port),
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: join(options.directory, 'users.txt'),
    admin_users: superuser,
    pool_mode: 'transaction',
    pidfile: '',
    ...options.settings,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  return `[databases]\n* = host=${socketDirectory} port=${port}\n[pgbouncer]\n${lines.join('')}`;
}

async function answering(admin: Pgbouncer['admin'], server: ChildProcess): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`pgbouncer ended with ${server.exitCode}`);
    const isUp = await admin('show version').then(
      () => true,
      () => false,
    );
    if (isUp) return;
    await sleep(20);
  }
}
