import { type ConfigOverride, type LoadedConfig, loadConfig, withoutConfig } from '../config/load-config.ts';
import type { Config } from '../config/schema.ts';
import { TendError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { RunPings } from '../monitoring/open-run-pings.ts';
import { SecretRegistry } from '../redact.ts';
import type { CommandBody, CommandContext, CommandOutcome, ReadsConfig } from './command-context.ts';
import { formatJson } from './format-json.ts';
import type { GlobalFlags } from './global-flags.ts';
import { createMessageWriter, type MessageWriter } from './message-writer.ts';
import { openResources } from './open-resources.ts';
import { createOutput, type Output } from './output.ts';
import type { ProcessHost } from './process-host.ts';
import { type DescribeFailure, reportError } from './report-error.ts';
import { listenForSignals, type SignalListener } from './signals.ts';
import { startPings } from './start-pings.ts';
import { createStepLog, type StepLog } from './step-log.ts';
import { createProgress } from './steps.ts';
import { watchStreams } from './watch-streams.ts';
import { armWatchdog } from './watchdog.ts';

export interface RunBodyOptions {
  /** As typed: `tasks show`. */
  commandId: string;
  flags: GlobalFlags;
  host: ProcessHost;
  /** Settings given as flags of this command; they win over the environment and `tend.toml`. */
  overrides?: readonly ConfigOverride[];
  readsConfig?: ReadsConfig;
  /** It only shows what it would do, or is not the chore as a whole: a monitoring service is not told of it. */
  isTrial?: boolean;
  /** The line on stdout where the body fails; nothing unless given. */
  describeFailure?: DescribeFailure | undefined;
  /** How long the process may take to end after the body did, before the watchdog ends it: 5 s. */
  endWithinMs?: number;
}

/** What speaks for one command: its streams, policies and secrets. */
interface Voice {
  secrets: SecretRegistry;
  log: StepLog;
  output: Output;
  progress: CommandContext['progress'];
  writer: MessageWriter;
}

/**
 * Runs the body of one command from its context to its exit code, which it returns and never throws: configuration,
 * signals, output policy, JSON, error report, and the end of every database session. It knows no flag parser, so
 * that a tick runs through the very same code without loading one. The caller sets `process.exitCode`.
 */
export async function runBody(options: RunBodyOptions, body: CommandBody): Promise<number> {
  const { host, flags } = options;
  const voice = createVoice(options);
  using signals = listenForSignals(host);
  using _warnings = divertWarnings(host, voice.log);
  using _crashes = reportCrashes(host, flags, voice);
  const { secrets, writer } = voice;
  const streams = watchStreams(host, (error) => {
    reportError({ error, host, flags: { ...flags, json: false }, secrets, writer });
  });
  let exitCode: number;
  let pings: RunPings | undefined;
  const onConfig = async (config: Config): Promise<void> => {
    if (options.isTrial === true) return;
    const { commandId } = options;
    pings = await startPings({ ...{ commandId, config, env: host.env }, ...voice });
  };
  try {
    const outcome = await runInContext({ options, voice, signal: signals.signal, body, onConfig });
    exitCode = finish({ outcome, options, voice, signals });
  } catch (thrown) {
    if (!flags.json) voice.log.replay();
    const error = await nameDatabaseError(thrown);
    const { describeFailure } = options;
    exitCode = reportError({
      ...{ error: afterSignal(error, signals), host, flags, secrets, writer, describeFailure },
    });
  }
  if (exitCode === exitCodes.ok.code && (await streams.isOutputLost())) exitCode = exitCodes.cannotWrite.code;
  await pings?.finish({ exitCode, said: writer.said(), isStopped: signals.stopped !== undefined });
  await writer.close();
  armWatchdog(host, writer, options.endWithinMs);
  return exitCode;
}

function createVoice({ host, flags, commandId }: RunBodyOptions): Voice {
  const secrets = new SecretRegistry();
  const writer = createMessageWriter({ host, flags, secrets, commandId });
  const log = createStepLog({ flags, env: host.env, writer });
  const output = createOutput({ host, flags, secrets, writer });
  const progress = createProgress({ host, flags, secrets, log, writer });
  return { secrets, log, output, progress, writer };
}

async function runInContext({
  options,
  voice,
  signal,
  body,
  onConfig,
}: {
  options: RunBodyOptions;
  voice: Voice;
  signal: AbortSignal;
  body: CommandBody;
  onConfig(config: Config): Promise<void>;
}): Promise<CommandOutcome> {
  const { commandId, host } = options;
  const { secrets, log, output, progress, writer } = voice;
  const { loaded, configError, isRead } = readConfig(options, secrets);
  if (isRead) writer.obey(loaded.config.monitor);
  await onConfig(loaded.config);
  await using resources = openResources({ host, commandId, loaded, log, secrets });
  return await body({
    commandId,
    config: loaded.config,
    loadedConfig: loaded,
    configError,
    baseDirectory: loaded.baseDirectory,
    configPath: loaded.configPath,
    cwd: host.cwd,
    env: host.env,
    clock: host.clock,
    signal,
    log,
    progress,
    aboutTask: writer.about,
    output,
    secrets,
    connection: () => resources.connection(),
    openSessions: () => resources.openSessions(),
    openDatabase: () => resources.openDatabase(),
  });
}

function readConfig(
  { host, flags, overrides = [], readsConfig = true }: RunBodyOptions,
  secrets: SecretRegistry,
): { loaded: LoadedConfig; configError: TendError | undefined; isRead: boolean } {
  const { cwd, env } = host;
  const defaults = (configError?: TendError) => ({ loaded: withoutConfig(cwd), configError, isRead: false });
  if (readsConfig === false) return defaults();
  try {
    const given = [...overrides, ...logOverride(flags)];
    const loaded = loadConfig({ cwd, env, configFlag: flags.config, overrides: given, secrets });
    return { loaded, configError: undefined, isRead: true };
  } catch (error) {
    if (readsConfig === 'if-valid' && error instanceof TendError) return defaults(error);
    throw error;
  }
}

function logOverride({ logFormat }: GlobalFlags): ConfigOverride[] {
  if (logFormat === undefined) return [];
  return [{ path: ['monitor', 'log_format'], value: logFormat, flag: '--log-format' }];
}

function finish({
  outcome,
  options,
  voice,
  signals,
}: {
  outcome: CommandOutcome;
  options: RunBodyOptions;
  voice: Voice;
  signals: SignalListener;
}): number {
  const { flags, host } = options;
  if (flags.json) host.stdout.write(`${formatJson(outcome.result, voice.secrets)}\n`);
  else outcome.render?.(voice.output);
  if (signals.stopped === undefined) return outcome.exitCode ?? exitCodes.ok.code;
  const { message: text, code, exitCode } = signals.stopped;
  const message = voice.writer.compose({ level: 'error', text, facts: { code, exitCode } });
  voice.writer.remember(message);
  voice.writer.tell(message);
  return exitCode;
}

/** Statements throw what the server said, since callers decide by its code; what nobody caught is named here. */
async function nameDatabaseError(thrown: unknown): Promise<unknown> {
  if (thrown instanceof TendError) return thrown;
  const { translateDatabaseError } = await import('../database/translate-database-error.ts');
  return translateDatabaseError(thrown) ?? thrown;
}

/**
 * After a signal, what was thrown is its consequence, and the signal is the error. The exception is a state that a
 * person must put right: no signal may hide that.
 */
function afterSignal(error: unknown, signals: SignalListener): unknown {
  const { stopped } = signals;
  if (stopped === undefined || error === stopped) return error;
  if (error instanceof TendError && error.exitCode === exitCodes.needsPerson.code) return error;
  const { code, message } = stopped;
  const isOwnFailure = error instanceof TendError && error.code !== 'TOOL_STOPPED' && error.code !== code;
  return new TendError(code, message, { cause: error, ...(isOwnFailure ? { details: error.message } : {}) });
}

/** Warnings of packages we use (`process.emitWarning`) are for us, not for the operator: they go to the debug log. */
function divertWarnings(host: ProcessHost, log: StepLog): Disposable {
  const onWarning = (warning: Error): void => log.debug(`${warning.name}: ${warning.message}`);
  host.events.on('warning', onWarning);
  return {
    [Symbol.dispose]() {
      // a warning is emitted one tick after its cause
      setImmediate(() => host.events.off('warning', onWarning));
    },
  };
}

/** An error that no promise led back to us is still reported once, redacted, and ends the process with 70. */
function reportCrashes(host: ProcessHost, flags: GlobalFlags, { secrets, writer }: Voice): Disposable {
  const onCrash = (error: unknown): void => {
    const exitCode = reportError({ error, host, flags, secrets, writer });
    const closing = writer.close();
    if (closing === undefined) host.exit(exitCode);
    else void closing.finally(() => host.exit(exitCode));
  };
  host.events.on('uncaughtException', onCrash);
  return {
    [Symbol.dispose]() {
      host.events.off('uncaughtException', onCrash);
    },
  };
}
