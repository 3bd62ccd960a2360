import { TendError, toError } from '../errors.ts';
import type { SecretRegistry } from '../redact.ts';
import { formatJson } from './format-json.ts';
import type { GlobalFlags } from './global-flags.ts';
import type { MessageWriter } from './message-writer.ts';
import type { ProcessHost } from './process-host.ts';

export interface ReportErrorOptions {
  error: unknown;
  host: ProcessHost;
  flags: GlobalFlags;
  secrets: SecretRegistry;
  writer: MessageWriter;
  /** A line on stdout too, where no JSON goes there: for a reader who looks at nothing else. */
  describeFailure?: DescribeFailure | undefined;
}

/** What a command prints on stdout in place of its result. */
export type DescribeFailure = (error: TendError) => string;

/**
 * Tells about a failed command, once, and returns its exit code: one line and the hint on stderr, and under `--json`
 * an object on stdout that holds the allow-listed fields and nothing else of the error: foreign errors carry flags,
 * rows and connection settings with them. Causes and stacks are shown from `-v` on.
 */
export function reportError(options: ReportErrorOptions): number {
  const { error, host, flags, secrets, writer, describeFailure } = options;
  const known = asTendError(error);
  const { code, message: text, exitCode, hint, details } = known;
  const message = writer.compose({
    level: 'error',
    text,
    facts: { code, exitCode, ...(hint === undefined ? {} : { hint }) },
    details,
    causes: flags.verbosity > 0 ? causesOf(known) : undefined,
  });
  writer.remember(message);
  writer.tell(message);
  if (!flags.json) {
    if (describeFailure !== undefined) host.stdout.write(`${secrets.redact(describeFailure(known))}\n`);
    return exitCode;
  }
  const told = { code, message: text, hint: hint ?? null, exitCode };
  host.stdout.write(`${formatJson({ error: told }, secrets)}\n`);
  return exitCode;
}

/** An error of ours as it is; anything else is a bug of ours until its adapter translates it. */
function asTendError(thrown: unknown): TendError {
  if (thrown instanceof TendError) return thrown;
  const error = toError(thrown);
  const name = error.name === 'Error' ? '' : `${error.name}: `;
  return new TendError('BUG', `Unexpected error: ${name}${error.message}`, {
    cause: error,
    hint: 'this is a bug in tend; run the same command with -v to see where it happened, and report it',
  });
}

/** The chain of causes, with stacks: at most ten, since a chain may be a circle. */
function causesOf(error: Error): string[] {
  const lines = error instanceof TendError && error.code !== 'BUG' ? [error.stack ?? ''] : [];
  let cause = error.cause;
  for (let depth = 0; cause !== undefined && depth < 10; depth += 1) {
    const { stack, message, cause: next } = toError(cause);
    lines.push(`caused by: ${stack ?? message}`);
    cause = next;
  }
  return lines;
}
