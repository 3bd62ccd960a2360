import { execFile } from 'node:child_process';
import { chmod, chown, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { asUser, type ClusterPlace, serverEnvironment } from './server-process.ts';
import type { UnprivilegedUser } from './unprivileged-user.ts';

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

const suiteSettings: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  max_connections: '200',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  jit: 'off',
  unix_socket_permissions: '0777',
};

/** Lets the server's user own a directory or file; others may look into it. */
export async function giveTo(path: string, user: UnprivilegedUser | undefined): Promise<void> {
  await chmod(path, 0o755);
  if (user !== undefined) await chown(path, user.uid, user.gid);
}

/** Runs initdb: superuser with a password, trust until `configure` has written pg_hba.conf. */
export async function initialise(place: ClusterPlace): Promise<void> {
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

/** Writes postgresql.conf and pg_hba.conf anew. */
export async function configure(options: {
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

/** Puts files into the data directory, readable by the server alone. */
export async function putFiles(
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
