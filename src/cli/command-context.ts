import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import type { Config } from '../config/schema.ts';
import type { ConnectionSettings } from '../connection/settings.ts';
import type { SessionPool } from '../database/session-pool.ts';
import type { Database } from '../database/tables.ts';
import type { TendError } from '../errors.ts';
import type { Log, Progress } from '../log.ts';
import type { SecretRegistry } from '../redact.ts';
import type { Output } from './output.ts';

/**
 * Whether a command reads `tend.toml`. False for one that must work whatever stands there: the context then holds the
 * defaults. `if-valid` for one that tells what is wrong: beside the defaults, the context holds the error.
 */
export type ReadsConfig = boolean | 'if-valid';

/** Everything a command's body may use. Nothing in it is connected or loaded before it is asked for. */
export interface CommandContext {
  /** As typed, without the program's name: `tasks show`. */
  commandId: string;
  config: Config;
  /** The configuration with the origin of every value. */
  loadedConfig: LoadedConfig;
  /** Why the configuration is not in force; only for a command that reads it `if-valid`. */
  configError: TendError | undefined;
  /** Directory that relative paths of the configuration are relative to: that of `tend.toml`, else the working directory. */
  baseDirectory: string;
  /** The `tend.toml` in force; undefined where there is none. */
  configPath: string | undefined;
  /** The working directory, which paths given as arguments are relative to. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  clock: Clock;
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP. */
  signal: AbortSignal;
  log: Log;
  progress: Progress;
  /** From here on this task is what the command is about; its log, warnings and error name it. */
  aboutTask(task: { taskId?: number; kind: string; attempt?: number }): void;
  output: Output;
  secrets: SecretRegistry;
  /** The settings of the application's database, resolved once. Throws where none is configured. */
  connection(): Promise<ConnectionSettings>;
  /** What `openDatabase` is a handle over; for the tick, which does without Kysely while it is idle. */
  openSessions(): Promise<SessionPool>;
  /** The one database handle of the command; it connects at the first query and is closed when the body ends. */
  openDatabase(): Promise<Kysely<Database>>;
}

/** What a command's body gives back. */
export interface CommandOutcome<Result extends object = object> {
  /** Printed under `--json`: an object with stable camelCase keys, to which keys may only be added. */
  result: Result;
  /** Default 0. */
  exitCode?: number;
  /** Writes the result for a person or a pipe; not called under `--json`. */
  render?(output: Output): void;
}

export type CommandBody<Result extends object = object> = (
  context: CommandContext,
) => Promise<CommandOutcome<Result>>;
