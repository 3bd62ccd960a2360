import { existsSync } from 'node:fs';
import { runTool } from '../processes/run-tool.ts';
import { ToolError } from '../processes/tool-error.ts';
import type { SecretRegistry } from '../redact.ts';
import type { Account } from './find-account.ts';

export interface ProbeTickLineOptions {
  /** For the shell: see `probeCommand`. What it calls says what it has to say as JSON, and changes nothing. */
  command: string;
  /** All that it gets: see `cronEnvironment`. */
  env: Readonly<Record<string, string>>;
  /** Another user to be first; undefined: as who we are. */
  account: Account | undefined;
  secrets: SecretRegistry;
  signal: AbortSignal;
  timeoutMs: number;
}

/** How a line of a crontab ended. */
export type ProbedLine =
  | { state: 'answered'; answer: unknown }
  | { state: 'refused'; code: string; message: string; hint: string | undefined }
  | { state: 'no-program'; said: string }
  | { state: 'timed-out' };

const anyExitCode = Array.from({ length: 256 }, (_, code) => code);

/**
 * Runs a command as cron does: by the shell of the crontab, in the user's home, with nothing else in its environment. One
 * that does not end within `timeoutMs` is killed, with all it has started.
 */
export async function probeTickLine(options: ProbeTickLineOptions): Promise<ProbedLine> {
  const { command, env, account, secrets, signal, timeoutMs } = options;
  const shell = [env['SHELL'] ?? '/bin/sh', '-c', command];
  const [file = '', ...args] = account === undefined ? shell : [...wordsToBecome(account), ...shell];
  try {
    const { stdout, outputTail } = await runTool({
      ...{ file, args, name: 'the line of the crontab', cwd: env['HOME'] ?? '/', secrets, signal, timeoutMs },
      // Not ours, but nothing is to be left in that user's home.
      ...{ baseEnv: {}, env: { ...env, NODE_DISABLE_COMPILE_CACHE: '1' } },
      ...{ stdout: 'capture', okExitCodes: anyExitCode, graceMs: 1000 },
    });
    return judge(stdout, outputTail);
  } catch (error) {
    if (error instanceof ToolError && error.code === 'TOOL_TIMED_OUT') return { state: 'timed-out' };
    throw error;
  }
}

function wordsToBecome({ uid, gid }: Account): string[] {
  const program = '/usr/bin/setpriv';
  return existsSync(program) ? [program, `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', '--'] : [];
}

/** tend answers with JSON, or with an error as JSON. What is no JSON comes from a shell, from Node, or from another program. */
function judge(stdout: string, said: string): ProbedLine {
  const answer = parseObject(stdout);
  if (answer === undefined) return { state: 'no-program', said: tellingLine(said) };
  const { error } = answer;
  if (typeof error !== 'object' || error === null) return { state: 'answered', answer };
  const { code, message, hint }: Record<string, unknown> = { ...error };
  return {
    ...{ state: 'refused', code: String(code), message: String(message) },
    hint: typeof hint === 'string' ? hint : undefined,
  };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Of what Node says, the error is in the midst of it. */
function tellingLine(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? 'it said nothing').trim();
}
