import { TendError } from '../errors.ts';
import { runTool, type ToolResult } from '../processes/run-tool.ts';
import type { CrontabPlace } from './crontab-place.ts';

export interface UserCrontabOptions {
  /** Another user than the one we run as, which only root may name. */
  user: string | undefined;
  /** Who we run as, for messages. */
  osUser: string | undefined;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/** What Debian's and cronie's crontab say, and BusyBox's, where the user has none. */
const noCrontab = /no crontab for|can't open '[^']*': No such file/;

/** A user's crontab, read and written by crontab(1), which alone may. */
export function userCrontab({ user, osUser, env, signal }: UserCrontabOptions): CrontabPlace {
  const who = user === undefined ? [] : ['-u', user];
  const run = async (args: string[], input?: string): Promise<ToolResult> => {
    try {
      return await runTool({
        ...{ file: 'crontab', args: [...who, ...args], baseEnv: env, env: { LC_ALL: 'C' }, signal },
        ...{ stdout: 'capture', okExitCodes: [0, 1], timeoutMs: 30_000 },
        ...(input === undefined ? {} : { input }),
      });
    } catch (error) {
      throw isMissing(error) ? noProgram(error) : error;
    }
  };
  return {
    name: `the crontab of ${user ?? osUser ?? 'this user'}`,
    namesUser: false,
    async read() {
      const { exitCode, stdout, outputTail } = await run(['-l']);
      if (exitCode === 0) return stdout;
      if (noCrontab.test(outputTail)) return '';
      throw failed('crontab -l', exitCode, outputTail);
    },
    async write(text) {
      const { exitCode, outputTail } = await run(['-'], text);
      if (exitCode !== 0) throw failed('crontab -', exitCode, outputTail);
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof TendError && error.code === 'TOOL_NOT_FOUND';
}

function noProgram(cause: unknown): TendError {
  return new TendError('TOOL_NOT_FOUND', 'There is no program "crontab" on this host.', {
    hint: 'apt-get install cron, or without cron: tend crontab --systemd',
    isPermanent: true,
    cause,
  });
}

function failed(command: string, exitCode: number, outputTail: string): TendError {
  const said = outputTail.trim();
  return new TendError('TOOL_FAILED', `"${command}" failed with exit code ${exitCode}${said && `: ${said}`}`);
}
