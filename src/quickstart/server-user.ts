import { TendError } from '../errors.ts';
import { runTool } from '../processes/run-tool.ts';

/** An account that PostgreSQL's server may run as. */
export interface ServerUser {
  name: string;
  uid: number;
  gid: number;
}

/** A program with its arguments. */
export interface CommandLine {
  file: string;
  args: string[];
}

export interface FindServerUserOptions {
  /** Our own user id; undefined where the platform has none. */
  uid: number | undefined;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/**
 * Whom the server runs as: PostgreSQL refuses root, so root's server runs as `postgres`, else `nobody`; everybody
 * else's runs as themselves (undefined).
 *
 * @throws TendError TOOL_NOT_FOUND where neither account exists.
 */
export async function findServerUser(options: FindServerUserOptions): Promise<ServerUser | undefined> {
  if (options.uid !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = [await numericId('-u', name, options), await numericId('-g', name, options)];
    if (uid !== undefined && gid !== undefined && uid > 0) return { name, uid, gid };
  }
  throw new TendError(
    'TOOL_NOT_FOUND',
    'PostgreSQL does not run as root, and neither user "postgres" nor "nobody" exists to run it as.',
    { hint: 'Run the quickstart as an ordinary user.', isPermanent: true },
  );
}

/** The command line that runs `command` as the server's user; setpriv(1) is part of util-linux. */
export function asServerUser(user: ServerUser | undefined, { file, args }: CommandLine): CommandLine {
  if (user === undefined) return { file, args };
  const ids = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  return { file: 'setpriv', args: [...ids, file, ...args] };
}

async function numericId(
  option: '-u' | '-g',
  name: string,
  { env, signal }: FindServerUserOptions,
): Promise<number | undefined> {
  const result = await runTool({
    file: 'id',
    args: [option, name],
    baseEnv: env,
    stdout: 'capture',
    okExitCodes: [0, 1],
    signal,
  });
  return /^\d+$/.test(result.stdout.trim()) ? Number(result.stdout.trim()) : undefined;
}
