import type { SecretRegistry } from '../redact.ts';
import { colorPaint, isColorOn, plainPaint } from './colors.ts';
import { linesWithoutControls, messageAsJson, messageAsText } from './format-message.ts';
import type { GlobalFlags, LogFormat } from './global-flags.ts';
import type { Message, Unsaid } from './message.ts';
import type { ProcessHost } from './process-host.ts';
import { type SystemLog, systemLogOf } from './system-log.ts';

/** The last lines that are kept for a monitoring service. */
const keptLines = 500;

/** The one owner of stderr: what is said there goes through it, in the form of `--log-format`. */
export interface MessageWriter {
  readonly format: LogFormat;
  /** Ties the pings and the log of one run together. */
  readonly runId: string;
  /** What `tend.toml` says, once it is read. */
  obey(settings: { log_format: LogFormat; syslog?: string | undefined }): void;
  /** What is said from now on is about this task. */
  about(task: { taskId?: number; kind: string; attempt?: number }): void;
  /** The message with its time, redacted. */
  compose(unsaid: Unsaid): Message;
  /** Writes it on stderr, and to the system log. */
  tell(message: Message): void;
  /** Writes it to the system log alone: a person has read it on stdout. */
  tellSystemLog(message: Message): void;
  /** Keeps it for `said`, written or not. */
  remember(message: Message): void;
  /** The last lines that were to be remembered, as text. */
  said(): readonly string[];
  /** Lines wait while a live display owns the terminal. */
  hold(): void;
  release(): void;
  /** Waits, for 2 s at most, until the system log has everything; undefined where it was told nothing. */
  close(): Promise<void> | undefined;
}

export interface CreateMessageWriterOptions {
  host: ProcessHost;
  flags: GlobalFlags;
  secrets: SecretRegistry;
  /** As typed: `tasks show`. */
  commandId: string | undefined;
}

/** Until the configuration is read, the flag and TEND_LOG_FORMAT decide about the format. */
export function createMessageWriter(options: CreateMessageWriterOptions): MessageWriter {
  const { host, flags, secrets, commandId: command } = options;
  const paint = isColorOn({ stream: host.stderr, env: host.env, noColor: flags.noColor })
    ? colorPaint
    : plainPaint;
  let format: LogFormat = flags.logFormat ?? (host.env.TEND_LOG_FORMAT === 'json' ? 'json' : 'text');
  let systemLog: SystemLog | undefined;
  let runId: string | undefined;
  let held: string[] | undefined;
  let task: Message['facts'] = {};
  const said: string[] = [];

  const runIdOf = (): string => (runId ??= globalThis.crypto.randomUUID());
  const asLines = (message: Message, style: Parameters<typeof messageAsText>[1]): string[] =>
    format === 'json'
      ? [messageAsJson(message, { command, runId: runIdOf() })]
      : messageAsText(message, { ...style, isBrief: flags.json });
  const write = (message: Message): void => {
    const prefix = systemLog?.prefixOf(message.level);
    const lines =
      prefix === undefined
        ? asLines(message, { paint })
        : linesWithoutControls(asLines(message, {})).map((line) => `${prefix}${line}`);
    if (held === undefined) for (const line of lines) host.stderr.write(`${line}\n`);
    else held.push(...lines);
  };
  const tellSystemLog = (message: Message): void =>
    systemLog?.write(message.level, linesWithoutControls(asLines(message, {})));

  return {
    get format() {
      return format;
    },
    get runId() {
      return runIdOf();
    },
    obey({ log_format, syslog }) {
      format = log_format;
      systemLog = systemLogOf({ facility: syslog, host });
    },
    about(known) {
      task = known;
    },
    compose: ({ level, text, facts = {}, details, causes }) => ({
      time: host.clock.now(),
      level,
      text: secrets.redact(text),
      facts: redactedFacts({ ...task, ...facts }, secrets),
      details: details === undefined ? undefined : secrets.redact(details),
      causes: causes?.map((cause) => secrets.redact(cause)),
    }),
    tell(message) {
      write(message);
      tellSystemLog(message);
    },
    tellSystemLog,
    remember(message) {
      said.push(...messageAsText(message));
      if (said.length > keptLines) said.splice(0, said.length - keptLines);
    },
    said: () => said,
    hold() {
      held ??= [];
    },
    release() {
      const lines = held ?? [];
      held = undefined;
      for (const line of lines) host.stderr.write(`${line}\n`);
    },
    close() {
      return systemLog?.close()?.then((problem) => {
        if (problem === undefined || flags.quiet) return;
        const text = secrets.redact(`The system log was not told: ${problem}`);
        write({ time: host.clock.now(), level: 'warning', text, facts: {} });
      });
    },
  };
}

function redactedFacts(
  { kind, hint, ...facts }: Message['facts'],
  secrets: SecretRegistry,
): Message['facts'] {
  return {
    ...facts,
    ...(kind === undefined ? {} : { kind: secrets.redact(kind) }),
    ...(hint === undefined ? {} : { hint: secrets.redact(hint) }),
  };
}
