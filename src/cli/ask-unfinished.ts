import { createInterface } from 'node:readline/promises';
import { TendError } from '../errors.ts';
import { type UnfinishedChoice, unfinishedChoices } from '../tasks/adopt-copy.ts';

export interface AskUnfinishedOptions {
  /** What was found, as lines to show before the question. */
  found: readonly string[];
  /** False where nothing may be asked, terminal or not: under `--json`. */
  mayAsk: boolean;
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  signal: AbortSignal;
}

const question = [
  '  hold    a person decides about each of them (the default)',
  '  cancel  none of them is done here',
  '  run     they are done here, but for mails and what was being done when the copy was made',
  'What shall become of the unfinished tasks? [hold] ',
].join('\n');

/**
 * Asks a person what shall become of the unfinished tasks of a copy. Enter alone is `hold`; any other answer than the
 * three is asked for again. Without a terminal there is nobody to ask.
 *
 * @throws TendError CONFIRMATION_MISSING naming the flag, also where the input ends without an answer.
 */
export async function askUnfinished(options: AskUnfinishedOptions): Promise<UnfinishedChoice> {
  const { input, output, signal, found } = options;
  if (!options.mayAsk) throw nobodyToAsk('--json asks nothing');
  if (!input.isTTY || !output.isTTY) throw nobodyToAsk('there is no terminal to ask at');
  // The terminal keeps its line editing, and Ctrl-C is a signal as anywhere else.
  const terminal = createInterface({ input, output, terminal: false });
  const ended = new AbortController();
  terminal.once('close', () => ended.abort());
  const asked = { signal: AbortSignal.any([signal, ended.signal]) };
  try {
    output.write(found.map((line) => `${line}\n`).join(''));
    for (;;) {
      const answer = (await terminal.question(question, asked)).trim().toLowerCase();
      if (answer === '') return 'hold';
      const choice = unfinishedChoices.find((one) => one === answer);
      if (choice !== undefined) return choice;
      output.write(`"${answer}" is none of: ${unfinishedChoices.join(', ')}.\n`);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!ended.signal.aborted) throw error;
    throw nobodyToAsk('there was no answer');
  } finally {
    terminal.close();
  }
}

function nobodyToAsk(why: string): TendError {
  return new TendError(
    'CONFIRMATION_MISSING',
    `Nothing was done: somebody must say what shall become of the unfinished tasks, and ${why}.`,
    { hint: `Add: --unfinished ${unfinishedChoices.join(', or --unfinished ')}`, isPermanent: true },
  );
}
