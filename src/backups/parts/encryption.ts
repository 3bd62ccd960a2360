import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream } from 'node:stream/web';
import { TendError } from '../../errors.ts';
import { DirectPipe } from '../../processes/direct-pipe.ts';
import { isInstalled } from '../../processes/is-installed.ts';
import { type RunToolOptions, runTool } from '../../processes/run-tool.ts';
import { ToolError } from '../../processes/tool-error.ts';
import type { CompressionContext } from './compression.ts';
import type { Identity } from './find-identity.ts';

interface DecryptionOptions extends CompressionContext {
  source: Readable;
  /** A direct pipe only where `isDecryptedByProgram`. */
  target: Writable | DirectPipe;
  identity: Identity;
}

/** Which of the two implementations will be used; both write and read the same format. */
export function encryptorName(recipients: readonly string[], env: NodeJS.ProcessEnv): string {
  if (recipients.length === 0) return 'none';
  return isInstalled('age', env) ? 'age' : 'age-encryption';
}

/**
 * Encrypts `source` into `target` so that each of the recipients can read it (https://age-encryption.org/v1). The
 * `age` program works beside us and is several times faster than the npm package.
 */
export async function encrypt(
  options: CompressionContext & {
    /** A direct pipe only where `encryptorName` says that the program is used. */
    source: Readable | DirectPipe;
    target: Writable;
    recipients: readonly string[];
  },
): Promise<void> {
  const { source, target, recipients, env, log, signal } = options;
  if (source instanceof DirectPipe || isInstalled('age', env)) {
    const args = ['--encrypt', ...recipients.map((recipient) => `--recipient=${recipient}`)];
    await runAge({ file: 'age', args, baseEnv: env, input: source, stdout: target, log, signal });
    return;
  }
  const { Encrypter } = await import('age-encryption');
  try {
    const encrypter = new Encrypter();
    for (const recipient of recipients) encrypter.addRecipient(recipient);
    await pipeline(await encrypter.encrypt(ReadableStream.from(source)), target, { signal });
  } catch (error) {
    throw asAgeError(error);
  }
}

/** What age says about a recipient, a key or the content, as opposed to a stream that broke. */
export class AgeError extends TendError {
  constructor(program: 'age' | 'age-encryption', said: string, cause: unknown) {
    super('TOOL_FAILED', `"${program}" failed: ${said}`, { cause });
  }

  /** None of the keys fits: they are somebody else's, or the header of the content is damaged. */
  get isForKey(): boolean {
    return /identity (matched|did not match) any of the/.test(this.message);
  }
}

/** Whether `decrypt` is done by a program. It could not read a pipe again that has been read here. */
export function isDecryptedByProgram(identity: Identity, env: NodeJS.ProcessEnv): boolean {
  return identity.isRegularFile && isInstalled('age', env);
}

/**
 * Decrypts `source` into `target`. Every chunk is authenticated before it is passed on, and so is the end: what was
 * cut off is an error, but what came before it has been passed on by then.
 *
 * @throws AgeError.
 */
export async function decrypt(options: DecryptionOptions): Promise<void> {
  const { identity, target, env } = options;
  if (target instanceof DirectPipe || isDecryptedByProgram(identity, env)) await decryptByProgram(options);
  else await decryptHere({ ...options, target });
}

/** The identity goes by name, never by value: arguments are shown by `ps`. */
async function decryptByProgram(options: DecryptionOptions): Promise<void> {
  const { source, target, identity, env, log, signal } = options;
  const args = ['--decrypt', `--identity=${identity.path}`];
  await runAge({ file: 'age', args, baseEnv: env, input: source, stdout: target, log, signal });
}

/** The last line of the program only says where to report what is unhelpful: its error stands before. */
async function runAge(options: RunToolOptions): Promise<void> {
  try {
    await runTool(options);
  } catch (error) {
    const said = error instanceof ToolError ? /^age: error: (.+)$/m.exec(error.outputTail)?.[1] : undefined;
    throw said === undefined ? error : new AgeError('age', said, error);
  }
}

async function decryptHere(options: DecryptionOptions & { target: Writable }): Promise<void> {
  const { source, target, identity, signal } = options;
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  for (const key of identity.keys) decrypter.addIdentity(key);
  try {
    await pipeline(await decrypter.decrypt(ReadableStream.from(source)), target, { signal });
  } catch (error) {
    throw asAgeError(error);
  }
}

/** The errors of streams have a code, those of the package have none. */
function asAgeError(error: unknown): unknown {
  if (!(error instanceof Error) || 'code' in error) return error;
  return new AgeError('age-encryption', error.message, error);
}
