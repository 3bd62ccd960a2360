import { createInterface } from 'node:readline/promises';
import { TendError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';

export interface ConfirmByNameOptions {
  /** What is about to happen, as a sentence. */
  question: string;
  /** The name that must be given, exactly. */
  name: string;
  /** The flag that gives it beforehand: `--confirm`. */
  flag: string;
  /** The command that the flag is to be added to, for the hint; undefined where it is the one just typed. */
  command?: string;
  /** What the flag said; asked for on the terminal when undefined. */
  given: string | undefined;
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  signal: AbortSignal;
}

/**
 * Makes sure that a person means this very thing: its name must be typed, so Enter alone is no. Without a terminal
 * the flag must have given it.
 *
 * @throws TendError CONFIRMATION_MISSING naming the flag.
 */
export async function confirmByName(options: ConfirmByNameOptions): Promise<void> {
  const { name, given, flag, question, command = 'Add:' } = options;
  const answer = given ?? (await ask(options));
  if (answer === name) return;
  const why =
    answer === undefined
      ? 'this needs a confirmation, and there is no terminal to ask at'
      : `"${answer}" is not "${name}"`;
  throw new TendError('CONFIRMATION_MISSING', `Nothing was done: ${why}. ${question}`, {
    hint: `${command} ${flag} ${shellWord(name)}`,
    isPermanent: true,
  });
}

async function ask({
  input,
  output,
  question,
  name,
  signal,
}: ConfirmByNameOptions): Promise<string | undefined> {
  if (!input.isTTY || !output.isTTY) return undefined;
  const terminal = createInterface({ input, output });
  try {
    return (await terminal.question(`${question}\nType "${name}" to go on: `, { signal })).trim();
  } finally {
    terminal.close();
  }
}
