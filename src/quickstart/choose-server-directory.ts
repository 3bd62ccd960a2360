import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TendError } from '../errors.ts';
import { runTool } from '../processes/run-tool.ts';
import { ToolError } from '../processes/tool-error.ts';
import { elsewherePrefix, type QuickstartPlaces, socketFile } from './quickstart-places.ts';
import { asServerUser, type ServerUser } from './server-user.ts';

/** The address of a unix socket holds 104 bytes on macOS and 108 on Linux, with a NUL at the end. */
const maxSocketPathBytes = 103;

/** Made by the server's user, it proves that this user reaches the place and that FIFOs (and sockets) work there. */
export const livenessFifo = 'alive';

export interface ChooseServerDirectoryOptions {
  places: QuickstartPlaces;
  user: ServerUser | undefined;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/**
 * Makes the directory of the server, for its user alone: `.tend/postgres`, or one in the temporary directory where the
 * path is too long for a socket, has characters that connection strings give a meaning to, or cannot be reached by the
 * server's user (a checkout below /root).
 *
 * @throws TendError OUTPUT_UNWRITABLE with what was wrong with each place.
 */
export async function chooseServerDirectory(options: ChooseServerDirectoryOptions): Promise<string> {
  const { places, signal } = options;
  const tries = [
    { name: places.postgres, make: () => makeDirectory(places.postgres) },
    ...[...new Set([tmpdir(), '/tmp', '/var/tmp'])].map((parent) => ({
      name: join(parent, `${elsewherePrefix}XXXXXX`),
      make: () => mkdtemp(join(parent, elsewherePrefix)),
    })),
  ];
  const reasons: string[] = [];
  for (const { name, make } of tries) {
    const reason = problemOfPath(name) ?? (await tryToMake(make, options));
    if (typeof reason !== 'string') return reason.directory;
    signal.throwIfAborted();
    reasons.push(`${name}: ${reason}`);
  }
  throw new TendError('OUTPUT_UNWRITABLE', 'No directory was found for the private PostgreSQL server.', {
    details: reasons.join('\n'),
    hint: 'Run the quickstart in a directory of your own with a short path.',
  });
}

/** Why a path cannot hold the server's socket. */
export function problemOfPath(directory: string): string | undefined {
  if (Buffer.byteLength(socketFile(directory)) > maxSocketPathBytes)
    return 'the path is too long for a socket';
  if (!/^[\w/.-]+$/.test(directory)) return 'the path has characters that connection strings cannot hold';
  return undefined;
}

async function makeDirectory(path: string): Promise<string> {
  await mkdir(path);
  return path;
}

async function tryToMake(
  make: () => Promise<string>,
  { user, env, signal }: ChooseServerDirectoryOptions,
): Promise<string | { directory: string }> {
  let directory: string | undefined;
  try {
    directory = await make();
    await chmod(directory, 0o700);
    if (user !== undefined) await chown(directory, user.uid, user.gid);
    const probe = ['-c', 'umask 077 && cd "$1" && mkfifo "$2"', 'sh', directory, livenessFifo];
    const command = asServerUser(user, { file: '/bin/sh', args: probe });
    await runTool({ ...command, cwd: '/', baseEnv: env, signal });
    return { directory };
  } catch (error) {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
    if (error instanceof ToolError)
      return `user "${user?.name ?? 'you'}" cannot use it: ${error.outputTail.trim()}`;
    return error instanceof Error ? error.message : String(error);
  }
}
