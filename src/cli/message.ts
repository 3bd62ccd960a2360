import type { LogFacts } from '../log.ts';

/** From the worst to the least. */
export type MessageLevel = 'error' | 'warning' | 'info' | 'debug';

/** One thing that a command says to whoever watches it, beside its result: redacted, and without a form yet. */
export interface Message {
  /** When it was said, which is not when it is written: the buffered log is written when the command fails. */
  time: Date;
  level: MessageLevel;
  /** May have several lines. */
  text: string;
  facts: LogFacts;
  /** The last words of a tool that failed, several lines. */
  details?: string | undefined;
  /** Stacks of the error and of its causes, shown from `-v` on. */
  causes?: readonly string[] | undefined;
}

/** As the writer is given it. */
export type Unsaid = Omit<Message, 'time' | 'facts'> & { facts?: LogFacts | undefined };
