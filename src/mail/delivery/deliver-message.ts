import type { DeliveryRecipient } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { parseAddress } from '../addresses/parse-address.ts';
import type { MailTransport } from '../servers/mail-transport.ts';
import { deliverOverSmtp } from '../smtp/deliver-over-smtp.ts';
import type { SmtpPool } from '../smtp/smtp-pool.ts';
import { deliverByProgram } from './deliver-by-program.ts';
import type { MailOutcome } from './mail-outcome.ts';
import { writeEmlInto } from './write-eml.ts';

/** A composed message and those who are still to get it. */
export interface OutgoingMessage {
  messageId: string;
  from: string;
  /** The sender is the one of `[mail] from`. */
  isOwnSender: boolean;
  /** Those who have not got it yet. */
  recipients: readonly DeliveryRecipient[];
  raw: Buffer;
  /** Resolves when it is durable that the message may be out from now on; called before its last bytes leave. */
  beforeEnd: () => Promise<void>;
  signal: AbortSignal;
  log: Log;
}

export interface DeliverMessageOptions extends OutgoingMessage {
  transport: MailTransport;
  pool: SmtpPool | undefined;
  /** `[mail] redirect_all` as it is now: also a message composed before it was set goes nowhere else. */
  redirectAll: string | undefined;
  env: NodeJS.ProcessEnv;
}

/**
 * One attempt at a composed message for the recipients given, over one transport. The outcome speaks about exactly those
 * recipients.
 */
export async function deliverMessage(options: DeliverMessageOptions): Promise<MailOutcome> {
  const { redirectAll, recipients } = options;
  const meant = recipients.map(({ address }) => address);
  if (options.transport.type === 'eml') return await writeToDirectory(options, meant);
  if (redirectAll === undefined) return await hand(options, meant);
  const { address } = parseAddress({ text: redirectAll, field: 'tend.toml [mail] redirect_all' });
  return spread(await hand(options, [address]), meant);
}

async function hand(options: DeliverMessageOptions, to: string[]): Promise<MailOutcome> {
  const { transport, pool } = options;
  if (transport.type === 'program') return await deliverByProgram({ ...options, transport, to });
  if (transport.type === 'eml' || pool === undefined)
    throw new TendError('BUG', 'A message is handed to what is no mail server.');
  return await deliverOverSmtp({ ...options, transport, pool, to });
}

async function writeToDirectory(
  { messageId, raw, log, transport }: DeliverMessageOptions,
  meant: readonly string[],
): Promise<MailOutcome> {
  const directory = transport.type === 'eml' ? transport.directory : '';
  try {
    const file = await writeEmlInto({ directory, messageId, raw });
    log.debug(`Written instead of sent: ${file}`);
    const recipients = meant.map((address) => ({ address, status: 'accepted' as const }));
    return { state: 'answered', recipients, reply: `written to ${file}` };
  } catch (error) {
    if (!(error instanceof TendError)) throw error;
    return { state: 'not-delivered', recipients: [], error, failureClass: 'configuration' };
  }
}

/** What became of the one address all went to became of each that was meant. */
function spread(outcome: MailOutcome, meant: readonly string[]): MailOutcome {
  if (outcome.state === 'unknown') return outcome;
  const [only] = outcome.recipients;
  if (only === undefined) return outcome;
  return { ...outcome, recipients: meant.map((address) => ({ ...only, address })) };
}
