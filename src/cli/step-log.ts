import type { Log, LogFacts } from '../log.ts';
import type { GlobalFlags } from './global-flags.ts';
import type { Message, MessageLevel } from './message.ts';
import type { MessageWriter } from './message-writer.ts';

const keptMessages = 500;

/** The log of a command: shown as far as `-v` and `-q` say, and kept, to be shown when the command fails. */
export interface StepLog extends Log {
  /** Writes the kept messages that were not shown yet; called once, on failure. */
  replay(): void;
}

export interface CreateStepLogOptions {
  flags: GlobalFlags;
  env: NodeJS.ProcessEnv;
  writer: MessageWriter;
}

/**
 * Shows warnings (unless quiet), information from `-v` on, and debug lines from `-vv` on or with TEND_LOG=debug.
 * Information that was not shown is what `replay` shows: silence on success, the whole story on failure.
 */
export function createStepLog({ flags, env, writer }: CreateStepLogOptions): StepLog {
  const verbosity = flags.quiet ? -1 : env.TEND_LOG === 'debug' ? 2 : flags.verbosity;
  let kept: Message[] = [];
  const say = (level: MessageLevel, text: string, facts: LogFacts | undefined, shownFrom: number): void => {
    const isShown = verbosity >= shownFrom;
    const isKept = level !== 'debug';
    if (!isShown && !isKept) return;
    const message = writer.compose({ level, text, facts });
    if (isKept) writer.remember(message);
    if (isShown) return writer.tell(message);
    kept.push(message);
    if (kept.length > keptMessages) kept.shift();
  };
  return {
    debug: (text, facts) => say('debug', text, facts, 2),
    info: (text, facts) => say('info', text, facts, 1),
    warn: (text, facts) => say('warning', text, facts, 0),
    replay() {
      for (const message of kept) writer.tell(message);
      kept = [];
    },
  };
}
