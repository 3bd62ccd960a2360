import { Config } from '@oclif/core/config';
import { reportCommandLine } from './report-command-line.ts';
import { translateOclifError } from './translate-oclif-error.ts';
import { unknownCommand } from './unknown-command.ts';

export interface FrameworkErrorOptions {
  /** What ran: its commands' names are near ones of what was typed. */
  config: Parameters<typeof Config.load>[0];
  error: unknown;
  argv: readonly string[];
}

/**
 * Tells of what the command framework has thrown outside of our commands, which report for themselves: help on what does not
 * exist, and a wrong flag of its own `help`. Its own report is framed text, with the help or a stack below, whatever
 * `--json` and `--log-format` say. Returns the exit code.
 */
export async function reportFrameworkError(options: FrameworkErrorOptions): Promise<number> {
  const { argv } = options;
  const error = options.error instanceof Error ? options.error : new Error(String(options.error));
  const exitCode = exitCodeOf(error);
  if (exitCode !== undefined) return exitCode;
  const [, id] = /^Command (\S+) not found\.$/.exec(error.message) ?? [];
  if (id === undefined) return reportCommandLine({ error: translateOclifError(error, 'help'), argv });
  const { commands } = await Config.load(options.config);
  return reportCommandLine({ error: unknownCommand({ id, commands, prefix: 'help ' }), argv });
}

/** Of `this.exit()`, before which everything has been said. */
function exitCodeOf(error: Error): number | undefined {
  if (!('code' in error) || error.code !== 'EEXIT' || !('oclif' in error)) return undefined;
  const { oclif } = error;
  if (typeof oclif !== 'object' || oclif === null || !('exit' in oclif)) return undefined;
  return typeof oclif.exit === 'number' ? oclif.exit : undefined;
}
