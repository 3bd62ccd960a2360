import { appendFile, readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TendError } from '../errors.ts';
import { runTool } from '../processes/run-tool.ts';
import { ToolError } from '../processes/tool-error.ts';
import { port, socketFile } from './quickstart-places.ts';
import { asServerUser, type CommandLine, type ServerUser } from './server-user.ts';

/** No TCP; the socket is in a directory that only the server's user (and root) can enter, hence trust. */
const settings = {
  listen_addresses: '',
  port: String(port),
  max_connections: '20',
  shared_buffers: '32MB',
  // The data are thrown away: nothing has to survive a power cut.
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  jit: 'off',
  timezone: 'UTC',
};

export interface StartDemoServerOptions {
  binaries: string;
  /** Made by `chooseServerDirectory`. */
  directory: string;
  user: ServerUser | undefined;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/**
 * Makes a cluster (UTF-8, locale C, superuser `postgres`) and starts its server in the background; takes about two
 * seconds. Returns PostgreSQL's version.
 *
 * @throws TendError TOOL_FAILED with the last lines of the server's log.
 */
export async function startDemoServer(options: StartDemoServerOptions): Promise<{ version: string }> {
  const { binaries, directory } = options;
  const data = join(directory, 'data');
  const version = await run(options, { file: join(binaries, 'postgres'), args: ['--version'] });
  await run(options, {
    file: join(binaries, 'initdb'),
    args: [
      `--pgdata=${data}`,
      ...['--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'],
    ],
  });
  const lines = Object.entries({ ...settings, unix_socket_directories: directory }).map(
    ([name, value]) => `${name} = '${value}'\n`,
  );
  await appendFile(join(data, 'postgresql.conf'), lines.join(''));
  const log = join(directory, 'log');
  // Not to be interrupted: a server that is just starting has no pid file yet to be stopped by.
  const patient = { ...options, signal: new AbortController().signal };
  try {
    await run(patient, {
      file: join(binaries, 'pg_ctl'),
      args: ['start', '--wait', '--silent', `--pgdata=${data}`, `--log=${log}`, '--timeout=60'],
    });
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    const said = await readFile(log, 'utf8').catch(() => '');
    const details = said.trimEnd().split('\n').slice(-10).join('\n');
    throw new TendError('TOOL_FAILED', 'The private PostgreSQL server did not start.', {
      cause: error,
      details,
    });
  }
  return { version: /\d[\w.]*/.exec(version)?.[0] ?? version.trim() };
}

async function run({ user, env, signal }: StartDemoServerOptions, command: CommandLine): Promise<string> {
  const { stdout } = await runTool({
    ...asServerUser(user, command),
    cwd: '/',
    baseEnv: env,
    env: { LC_ALL: 'C' },
    stdout: 'capture',
    timeoutMs: 120_000,
    signal,
  });
  return stdout;
}

/**
 * Stops the server of `directory`, if one answers there: sessions are ended, and who does not go is asked less
 * kindly. Nothing but signals is used, so that it works while everything else is being stopped.
 */
export async function stopDemoServer(directory: string): Promise<void> {
  const pidFile = join(directory, 'data', 'postmaster.pid');
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
  // A pid from before a reboot may be anybody's: only a server that answers is signalled.
  if (!Number.isSafeInteger(pid) || pid <= 1 || !(await isServerAlive(directory))) return;
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    // The file goes when the server has ended; its pid may stay for a while as a zombie.
    for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 20) {
      const content = await readFile(pidFile, 'utf8').catch(() => undefined);
      if (content === undefined) return;
      await sleep(20);
    }
  }
}

/** Whether a server takes connections in `directory`: a socket file that was left behind refuses them. */
export async function isServerAlive(directory: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = createConnection(socketFile(directory));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
