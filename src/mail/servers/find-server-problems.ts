import type { TendError } from '../../errors.ts';
import { openSmtpConnection } from '../smtp/open-smtp-connection.ts';
import { explainSmtpFailure } from '../smtp/smtp-failure.ts';
import { tokenFetcher } from './fetch-token.ts';
import { type FindMailSettingsOptions, findMailSettings } from './mail-settings.ts';
import type { SmtpTransport } from './mail-transport.ts';

export interface FindServerProblemsOptions extends FindMailSettingsOptions {
  signal: AbortSignal;
}

const limitMs = 15_000;

/**
 * Talks to each mail server of tend.toml as far as one can without a message: connects, says EHLO, upgrades to TLS and
 * logs in.
 *
 * @returns why mail cannot go there, by the server's name; undefined where it can, or where no server is spoken to.
 * @throws TendError MAIL_NOT_CONFIGURED, CONFIG_INVALID.
 */
export async function findServerProblems(
  options: FindServerProblemsOptions,
): Promise<Map<string, TendError | undefined>> {
  const problems = new Map<string, TendError | undefined>();
  for (const { name, transport } of findMailSettings(options).servers.values()) {
    const problem = transport.type === 'smtp' ? await findProblem(transport, options) : undefined;
    problems.set(name, problem);
  }
  return problems;
}

async function findProblem(
  transport: SmtpTransport,
  options: FindServerProblemsOptions,
): Promise<TendError | undefined> {
  const { signal } = options;
  const late = AbortSignal.timeout(limitMs);
  const stop = AbortSignal.any([signal, late]);
  const command = transport.tokenCommand;
  const fetchToken = command === undefined ? undefined : tokenFetcher({ ...options, command, signal: stop });
  try {
    const { connection } = await openSmtpConnection({ transport, signal: stop, fetchToken });
    connection.quit();
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    const isLate = late.aborted;
    const outcome = explainSmtpFailure({
      ...{
        error,
        transport: { ...transport, timeoutMs: limitMs },
        to: [],
        isOwnSender: true,
        hasBegun: false,
      },
      ...{ isEndReleased: false, isLate, signal },
    });
    if (outcome.state === 'not-delivered') return outcome.error;
    throw error;
  }
}
