import type { DeliveryRecipient } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import type { Log } from '../log.ts';
import { deliverOverSmtp } from './deliver-over-smtp.ts';
import type { MailOutcome } from './mail-outcome.ts';
import type { MailTransport } from './mail-transport.ts';
import { parseAddress } from './parse-address.ts';
import { writeEmlInto } from './write-eml.ts';

export interface DeliverMessageOptions {
  transport: MailTransport;
  /** `[mail] redirect_all` as it is now: also a message composed before it was set goes nowhere else. */
  redirectAll: string | undefined;
  messageId: string;
  from: string;
  /** Those who have not got it yet. */
  recipients: readonly DeliveryRecipient[];
  raw: Buffer;
  /** See {@link deliverOverSmtp}. */
  beforeEnd: () => Promise<void>;
  signal: AbortSignal;
  log: Log;
}

/**
 * One attempt at a composed message for the recipients given, over whatever transport is configured. The outcome
 * speaks about exactly those recipients.
 */
export async function deliverMessage(options: DeliverMessageOptions): Promise<MailOutcome> {
  const { transport, redirectAll, recipients } = options;
  const meant = recipients.map(({ address }) => address);
  if (transport.type === 'eml') return await deliverToDirectory(options, transport.directory, meant);
  if (redirectAll === undefined) return await deliverOverSmtp({ ...options, transport, to: meant });
  const { address } = parseAddress({ text: redirectAll, field: 'tend.toml [mail] redirect_all' });
  return spread(await deliverOverSmtp({ ...options, transport, to: [address] }), meant);
}

async function deliverToDirectory(
  { messageId, raw, log }: DeliverMessageOptions,
  directory: string,
  meant: readonly string[],
): Promise<MailOutcome> {
  try {
    const file = await writeEmlInto({ directory, messageId, raw });
    log.debug(`Written instead of sent: ${file}`);
    const recipients = meant.map((address) => ({ address, status: 'accepted' as const }));
    return { state: 'answered', recipients, reply: `written to ${file}` };
  } catch (error) {
    if (!(error instanceof TendError)) throw error;
    return { state: 'not-delivered', recipients: [], error };
  }
}

/** What became of the one address all went to became of each that was meant. */
function spread(outcome: MailOutcome, meant: readonly string[]): MailOutcome {
  if (outcome.state === 'unknown') return outcome;
  const [only] = outcome.recipients;
  if (only === undefined) return outcome;
  return { ...outcome, recipients: meant.map((address) => ({ ...only, address })) };
}
