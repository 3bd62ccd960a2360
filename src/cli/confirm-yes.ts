import { createInterface } from 'node:readline/promises';
import { TendError } from '../errors.ts';

export interface ConfirmYesOptions {
  /** Lines shown before the question. */
  shown: readonly string[];
  question: string;
  /** `--yes` was given. */
  isGiven: boolean;
  /** False where nothing may be asked, terminal or not: under `--json`. */
  mayAsk: boolean;
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  signal: AbortSignal;
}

/**
 * Makes sure that a person wants what is about to happen; Enter alone is no. Without a terminal `--yes` must be given.
 *
 * @throws TendError CONFIRMATION_MISSING.
 */
export async function confirmYes(options: ConfirmYesOptions): Promise<void> {
  const { isGiven, mayAsk, input, output, shown, question, signal } = options;
  if (isGiven) return;
  if (!mayAsk || !input.isTTY || !output.isTTY) throw unconfirmed('there is no terminal to ask at', question);
  const terminal = createInterface({ input, output });
  try {
    output.write(shown.map((line) => `${line}\n`).join(''));
    const answer = await terminal.question(`${question} [y/N] `, { signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw unconfirmed('the answer was no', question);
  } finally {
    terminal.close();
  }
}

function unconfirmed(why: string, question: string): TendError {
  return new TendError('CONFIRMATION_MISSING', `Nothing was done: ${why}. ${question}`, {
    hint: 'Add: --yes',
    isPermanent: true,
  });
}
