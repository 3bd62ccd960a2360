import { Command } from '@oclif/core/command';
import { boolean, option, string } from '@oclif/core/flags';
import type { ConfigOverride } from '../config/load-config.ts';
import { SecretRegistry } from '../redact.ts';
import type { CommandBody, ReadsConfig } from './command-context.ts';
import type { GlobalFlags, LogFormat } from './global-flags.ts';
import { globalFlagsFromArgv } from './global-flags-from-argv.ts';
import { createMessageWriter } from './message-writer.ts';
import { type ProcessHost, systemHost } from './process-host.ts';
import { type DescribeFailure, reportError } from './report-error.ts';
import { runBody } from './run-body.ts';
import { translateOclifError } from './translate-oclif-error.ts';
import { watchStreams } from './watch-streams.ts';

export interface ExecuteOptions {
  /** Flags of the command that stand for a setting of `tend.toml`. */
  overrides?: readonly ConfigOverride[];
  readsConfig?: ReadsConfig;
  /** The line on stdout where the command fails; nothing unless given. */
  describeFailure?: DescribeFailure | undefined;
}

/** The part of the parsed flags that the base needs: those of `TendCommand.baseFlags`. */
interface ParsedBaseFlags {
  json: boolean;
  config?: string | undefined;
  quiet: boolean;
  verbose: boolean;
  'no-color': boolean;
  'log-format'?: LogFormat | undefined;
}

/**
 * Base of every command. A subclass parses, and hands the rest to `execute`:
 *
 *     async run(): Promise<void> {
 *       const { flags } = await this.parse(TasksList);
 *       await this.execute(flags, async (context) => ({ result: await listTasks({ … }), render: (output) => … }));
 *     }
 *
 * oclif's own `--json` is off (`enableJsonFlag` would spread a whole parser error, flag values included, to stdout):
 * `runBody` prints results and errors. oclif's `catch` is replaced for the same reason.
 */
export abstract class TendCommand extends Command {
  static override enableJsonFlag = false;

  static override baseFlags = {
    json: boolean({ summary: 'Print the result, or the error, as one JSON object.', helpGroup: 'GLOBAL' }),
    config: string({
      summary: 'Use this file instead of the tend.toml found upward from here.',
      helpValue: 'FILE',
      helpGroup: 'GLOBAL',
    }),
    quiet: boolean({ char: 'q', summary: 'Errors only.', helpGroup: 'GLOBAL', exclusive: ['verbose'] }),
    verbose: boolean({ char: 'v', summary: 'Show the steps; -vv shows everything.', helpGroup: 'GLOBAL' }),
    'no-color': boolean({ summary: 'No colours, as with NO_COLOR=1.', helpGroup: 'GLOBAL' }),
    'log-format': option({
      summary: 'Messages on stderr as text, or as one JSON object a line.',
      options: ['text', 'json'] as const,
      helpGroup: 'GLOBAL',
    })(),
  };

  protected host: ProcessHost = systemHost();

  /** Runs the body and sets the exit code of the process. Never throws: a failure is reported here. */
  protected async execute(
    flags: ParsedBaseFlags,
    body: CommandBody,
    options: ExecuteOptions = {},
  ): Promise<void> {
    const { host, commandId } = this;
    const given: Readonly<Record<string, unknown>> = { ...flags };
    const isTrial = ['dry-run', 'check'].some((name) => given[name] === true) || given['task'] !== undefined;
    process.exitCode = await runBody(
      { commandId, flags: this.#globalFlags(flags), host, isTrial, ...options },
      body,
    );
  }

  protected override async catch(error: Error): Promise<void> {
    const { host } = this;
    watchStreams(host, () => {}); // the error itself is on stderr already, and names the exit code
    const flags = globalFlagsFromArgv(this.argv);
    const secrets = new SecretRegistry();
    const writer = createMessageWriter({ host, flags, secrets, commandId: this.commandId });
    process.exitCode = reportError({
      ...{ error: translateOclifError(error, this.commandId), host, flags, secrets, writer },
    });
  }

  protected get commandId(): string {
    return (this.id ?? '').replaceAll(':', ' ');
  }

  /** `-vv` is `-v` twice, which a boolean flag cannot tell: the words are counted. */
  #globalFlags(flags: ParsedBaseFlags): GlobalFlags {
    const { verbosity } = globalFlagsFromArgv(this.argv);
    return {
      json: flags.json,
      config: flags.config,
      quiet: flags.quiet,
      verbosity: flags.verbose ? Math.max(1, verbosity) : 0,
      noColor: flags['no-color'],
      logFormat: flags['log-format'],
    };
  }
}
