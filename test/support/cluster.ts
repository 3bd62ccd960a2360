import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { type ClusterOptions, configure, giveTo, initialise, putFiles } from './initialise-cluster.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { type ClusterPlace, type ShutdownMode, startServer, stopServer } from './server-process.ts';
import { unprivilegedUser } from './unprivileged-user.ts';

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
  stop(mode: ShutdownMode): Promise<void>;
}

/** Creates and starts a cluster; takes about two seconds. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const password = `test pass'word:@/%\\${Math.random().toString(36).slice(2)}`;
  return await startWith({ ...options, superuser: 'tend_test', password }, initialise);
}

/** Starts the server of a data directory that `fill` makes: initdb, or a copy of another server's. */
export async function startWith(
  options: ClusterOptions & { superuser: string; password: string },
  fill: (place: ClusterPlace) => Promise<void>,
): Promise<Cluster> {
  const { superuser, password } = options;
  const binaries = findPostgresBinaries();
  const user = unprivilegedUser();
  const directory = await mkdtemp(join(options.parentDirectory, 'pg-'));
  const dataDirectory = join(directory, 'data');
  const place: ClusterPlace = { binaries, directory, dataDirectory, superuser, password, user };
  try {
    await giveTo(directory, user);
    await fill(place);
    const port = await freePort();
    await configure({ dataDirectory, socketDirectory: directory, port, options });
    await putFiles(dataDirectory, options.files ?? {}, user);
    let server = await startServer(place);
    return {
      ...{ binaries, dataDirectory, socketDirectory: directory, port, superuser, password },
      get pid() {
        return server.pid ?? 0;
      },
      async restart(mode = 'fast') {
        await stopServer(server, mode);
        server = await startServer(place);
      },
      stop: (mode) => stopServer(server, mode),
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
