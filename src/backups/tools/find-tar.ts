import { TendError } from '../../errors.ts';
import { findProgram } from '../../processes/find-program.ts';
import { runTool } from '../../processes/run-tool.ts';

/** GNU tar is `gtar` where the system's own tar is another. */
const names = ['tar', 'gtar'];

/**
 * The path of GNU tar. Others lack what a backup needs: to say which files they could not read, and to unpack an
 * archive that nobody trusts without being led out of the directory.
 *
 * @throws TendError TOOL_NOT_FOUND naming the package that has it.
 */
export async function findTar(options: { env: NodeJS.ProcessEnv; signal: AbortSignal }): Promise<string> {
  const { env, signal } = options;
  const searchPath = env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
  const others: string[] = [];
  for (const file of names) {
    const path = pathOf(file, searchPath);
    if (path === undefined) continue;
    const version = await versionOf(path, env, signal);
    if (version.includes('(GNU tar)')) return path;
    others.push(`${path} is "${version}"`);
  }
  const found = others.length === 0 ? '' : ` (${others.join('; ')})`;
  throw new TendError('TOOL_NOT_FOUND', `GNU tar, which packs and unpacks files, was not found${found}.`, {
    hint: 'Install it: apt-get install tar (Debian), apk add tar (Alpine), brew install gnu-tar (macOS).',
    isPermanent: true,
  });
}

function pathOf(file: string, searchPath: string): string | undefined {
  try {
    return findProgram({ file, searchPath, cwd: '/' });
  } catch {
    return undefined;
  }
}

async function versionOf(file: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const { stdout, outputTail } = await runTool({
    ...{ file, args: ['--version'], baseEnv: env, stdout: 'capture', signal },
    timeoutMs: 30_000,
    okExitCodes: [0, 1, 64], // that of BusyBox may not know the option
  });
  const [first = ''] = (stdout === '' ? outputTail : stdout).split('\n');
  return first.trim();
}
