import type { Log } from '../log.ts';
import type { SecretRegistry } from '../redact.ts';
import type { GlobalFlags } from './global-flags.ts';

const keptLines = 500;

/** The log of a command: shown as far as `-v` and `-q` say, and kept, to be shown when the command fails. */
export interface StepLog extends Log {
  /** Writes the kept lines that were not shown yet; called once, on failure. */
  replay(): void;
  /** The last of all warnings and information, shown or not, for a monitoring service. */
  said(): readonly string[];
}

export interface CreateStepLogOptions {
  flags: GlobalFlags;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  writeToStderr: (line: string) => void;
}

/**
 * Shows warnings (unless quiet), information from `-v` on, and debug lines from `-vv` on or with TEND_LOG=debug.
 * Information that was not shown is what `replay` shows: silence on success, the whole story on failure.
 */
export function createStepLog({ flags, env, secrets, writeToStderr }: CreateStepLogOptions): StepLog {
  const verbosity = flags.quiet ? -1 : env.TEND_LOG === 'debug' ? 2 : flags.verbosity;
  let kept: string[] = [];
  const said: string[] = [];
  const say = (line: string, isShown: boolean, isKept: boolean): void => {
    const text = secrets.redact(line);
    if (isKept) said.push(text);
    if (said.length > keptLines) said.shift();
    if (isShown) return writeToStderr(text);
    if (!isKept) return;
    kept.push(text);
    if (kept.length > keptLines) kept.shift();
  };
  return {
    debug: (message) => say(`debug: ${message}`, verbosity >= 2, false),
    info: (message) => say(message, verbosity >= 1, true),
    warn: (message) => say(`warning: ${message}`, verbosity >= 0, true),
    replay() {
      for (const line of kept) writeToStderr(line);
      kept = [];
    },
    said: () => said,
  };
}
