import { TendError } from '../../errors.ts';
import { runTool } from '../../processes/run-tool.ts';
import type { SecretRegistry } from '../../redact.ts';

export interface TokenFetcherOptions {
  command: readonly string[];
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  signal: AbortSignal;
}

/**
 * Gets OAuth2 access tokens from a command, one for all connections of a worker, and another where the server refuses it.
 * The token is a secret from its first moment.
 *
 * @throws TendError MAIL_NOT_CONFIGURED where the command fails or prints no token.
 */
export function tokenFetcher(options: TokenFetcherOptions): (isRefused: boolean) => Promise<string> {
  let current: Promise<string> | undefined;
  return async (isRefused) => {
    if (isRefused) current = undefined;
    current ??= fetchToken(options);
    try {
      return await current;
    } catch (error) {
      current = undefined;
      throw error;
    }
  };
}

async function fetchToken(options: TokenFetcherOptions): Promise<string> {
  const { command, baseDirectory, env, secrets, signal } = options;
  const [file = '', ...args] = command;
  let printed: string;
  try {
    const ran = await runTool({
      ...{ file, args, cwd: baseDirectory, baseEnv: env, signal },
      stdout: 'capture',
      timeoutMs: 30_000,
    });
    printed = ran.stdout.trim();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TendError('MAIL_NOT_CONFIGURED', `No access token for the mail server: ${reason}`, {
      cause,
      hint: `Try it: ${command.join(' ')}`,
    });
  }
  secrets.add(printed);
  // RFC 6750 §2.1
  if (/^[A-Za-z0-9\-._~+/]+=*$/.test(printed)) return printed;
  throw new TendError(
    'MAIL_NOT_CONFIGURED',
    `The token_command "${file}" did not print a token and nothing else.`,
  );
}
