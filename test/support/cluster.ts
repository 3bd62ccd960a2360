import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { type UnprivilegedUser, unprivilegedUser } from './unprivileged-user.ts';

const run = promisify(execFile);

export interface ClusterOptions {
  /** Where the cluster's own directory is made; others must be able to enter it. */
  parentDirectory: string;
  /** Lines for postgresql.conf, over the suite's: `{ default_transaction_read_only: 'on' }`. */
  settings?: Record<string, string>;
  /** Lines for pg_hba.conf, before the suite's. */
  hba?: readonly string[];
  /** Files for the data directory, readable by the server alone: certificates. */
  files?: Record<string, string | Buffer>;
}

/** A private PostgreSQL server: trust on the unix socket, SCRAM on 127.0.0.1. Disposing stops and removes it. */
export interface Cluster extends AsyncDisposable {
  binaries: string;
  dataDirectory: string;
  socketDirectory: string;
  port: number;
  superuser: string;
  password: string;
  /** Process id of the postmaster. It changes when the cluster is restarted. */
  readonly pid: number;
  /** Stops the server the given way and starts it again on the same port. */
  restart(mode?: ShutdownMode): Promise<void>;
}

/** How a server is asked to go: `fast` ends sessions, `immediate` skips the checkpoint as a crash would. */
export type ShutdownMode = 'fast' | 'immediate';

const suiteSettings: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  max_connections: '200',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  jit: 'off',
  unix_socket_permissions: '0777',
};

/** Creates and starts a cluster; takes about two seconds. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const binaries = findPostgresBinaries();
  const user = unprivilegedUser();
  const directory = await mkdtemp(join(options.parentDirectory, 'pg-'));
  const dataDirectory = join(directory, 'data');
  const password = `test pass'word:@/%\\${Math.random().toString(36).slice(2)}`;
  const place = { binaries, dataDirectory, socketDirectory: directory, superuser: 'tend_test', password };
  try {
    await giveTo(directory, user);
    await initialise({ ...place, user, directory });
    const port = await freePort();
    await configure({ dataDirectory, socketDirectory: directory, port, options });
    await putFiles(dataDirectory, options.files ?? {}, user);
    let server = await startServer({ ...place, user, directory });
    return {
      ...place,
      port,
      get pid() {
        return server.pid ?? 0;
      },
      async restart(mode = 'fast') {
        await stopServer(server, mode);
        server = await startServer({ ...place, user, directory });
      },
      async [Symbol.asyncDispose]() {
        await stopServer(server, 'fast');
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

interface Place {
  binaries: string;
  directory: string;
  dataDirectory: string;
  superuser: string;
  password: string;
  user: UnprivilegedUser | undefined;
}

async function giveTo(path: string, user: UnprivilegedUser | undefined): Promise<void> {
  await chmod(path, 0o755);
  if (user !== undefined) await chown(path, user.uid, user.gid);
}

async function initialise(place: Place): Promise<void> {
  const passwordFile = join(place.directory, 'password');
  await writeFile(passwordFile, place.password);
  await giveTo(passwordFile, place.user);
  const [file, args] = asUser(place.user, join(place.binaries, 'initdb'), [
    `--pgdata=${place.dataDirectory}`,
    `--username=${place.superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
    '--no-instructions',
  ]);
  await run(file, args, { cwd: '/', env: serverEnvironment() });
  await rm(passwordFile);
}

async function configure(options: {
  dataDirectory: string;
  socketDirectory: string;
  port: number;
  options: ClusterOptions;
}): Promise<void> {
  const settings = {
    ...suiteSettings,
    port: String(options.port),
    unix_socket_directories: options.socketDirectory,
    ...options.options.settings,
  };
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`,
  );
  await writeFile(join(options.dataDirectory, 'postgresql.conf'), lines.join(''));
  const hba = [
    ...(options.options.hba ?? []),
    'local all all trust',
    'host all all 127.0.0.1/32 scram-sha-256',
    'local replication all trust',
  ];
  await writeFile(join(options.dataDirectory, 'pg_hba.conf'), `${hba.join('\n')}\n`);
}

async function putFiles(
  directory: string,
  files: Record<string, string | Buffer>,
  user: UnprivilegedUser | undefined,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    await writeFile(path, content, { mode: 0o600 });
    if (user !== undefined) await chown(path, user.uid, user.gid);
  }
}

async function startServer(place: Place): Promise<ChildProcess> {
  const logPath = join(place.directory, 'log');
  const log = openSync(logPath, 'a');
  const [file, args] = asUser(place.user, join(place.binaries, 'postgres'), ['-D', place.dataDirectory]);
  const server = spawn(file, args, {
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const deadline = performance.now() + 60_000;
  while (!(await isReady(place.dataDirectory, server.pid))) {
    if (server.exitCode !== null || server.signalCode !== null || performance.now() > deadline) {
      await stopServer(server, 'immediate');
      throw new Error(`The test cluster did not start:\n${await readFile(logPath, 'utf8').catch(() => '')}`);
    }
    await sleep(20);
  }
  return server;
}

/** The postmaster writes `ready` as the eighth line of its pid file, below its pid in the first. */
async function isReady(dataDirectory: string, pid: number | undefined): Promise<boolean> {
  const content = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = content.split('\n');
  return lines[0]?.trim() === String(pid) && lines[7]?.trim() === 'ready';
}

async function stopServer(server: ChildProcess, mode: ShutdownMode): Promise<void> {
  const signals: NodeJS.Signals[] =
    mode === 'fast' ? ['SIGINT', 'SIGQUIT', 'SIGKILL'] : ['SIGQUIT', 'SIGKILL'];
  const gone = new Promise<void>((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) resolve();
    else server.once('exit', () => resolve());
  });
  for (const signal of signals) {
    server.kill(signal);
    const ended = await Promise.race([gone.then(() => true), sleep(15_000, false, { ref: false })]);
    if (ended) return;
  }
}

/**
 * The command line that runs `program` as `user`. On Linux the program is also told to go when its starter dies, so
 * that a killed test run leaves no server behind.
 */
function asUser(user: UnprivilegedUser | undefined, program: string, args: string[]): [string, string[]] {
  if (process.platform !== 'linux') return [program, args];
  const ids = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  return ['setpriv', [...ids, '--pdeathsig=INT', program, ...args]];
}

/** Not the test run's marker: the cluster outlives the check for processes that were left behind. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string')
    throw new Error('The probe for a free port has no port.');
  return address.port;
}
