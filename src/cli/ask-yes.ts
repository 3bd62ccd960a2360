import { createInterface } from 'node:readline/promises';
import { TendError } from '../errors.ts';

/** Where a person can be asked: never under `--json`, and only at a terminal. */
export interface Asking {
  /** `--yes` was given: nothing is asked. */
  isAgreed: boolean;
  /** False where nothing may be asked, terminal or not: under `--json`. */
  mayAsk: boolean;
  /** The command has `--dry-run`, which a refusal names then. */
  hasDryRun: boolean;
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  signal: AbortSignal;
}

/** Whether there is somebody to ask. */
export function canAsk({ mayAsk, input, output }: Asking): boolean {
  return mayAsk && input.isTTY && output.isTTY;
}

/**
 * Asks a person yes or no; Enter alone, or the end of the input, is no.
 *
 * @throws TendError CONFIRMATION_MISSING naming `--yes`, where nobody can be asked.
 */
export async function askYes(question: string, asking: Asking): Promise<boolean> {
  const { isAgreed, mayAsk, hasDryRun, input, output, signal } = asking;
  if (isAgreed) return true;
  if (!mayAsk) throw nobodyToAsk(question, '--json asks nothing', hasDryRun);
  if (!canAsk(asking)) throw nobodyToAsk(question, 'there is no terminal to ask at', hasDryRun);
  // The terminal keeps its line editing, and Ctrl-C is a signal as anywhere else.
  const terminal = createInterface({ input, output, terminal: false });
  const ended = new AbortController();
  terminal.once('close', () => ended.abort());
  try {
    const answer = await terminal.question(`${question} [y/N] `, {
      signal: AbortSignal.any([signal, ended.signal]),
    });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    signal.throwIfAborted();
    if (ended.signal.aborted) return false;
    throw error;
  } finally {
    terminal.close();
  }
}

function nobodyToAsk(question: string, why: string, hasDryRun: boolean): TendError {
  return new TendError('CONFIRMATION_MISSING', `Nothing was done: ${why}. ${question}`, {
    hint: hasDryRun ? 'Add: --yes, or to see only what would be done: --dry-run' : 'Add: --yes',
    isPermanent: true,
  });
}
