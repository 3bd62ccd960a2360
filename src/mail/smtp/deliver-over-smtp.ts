import type { DeliveryRecipient } from '../../database/tables.ts';
import { TendError, toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { needsSmtpUtf8 } from '../addresses/mail-address.ts';
import type { MailOutcome } from '../delivery/mail-outcome.ts';
import { describeTransport, type SmtpTransport } from '../servers/mail-transport.ts';
import { hasAsciiHeader } from './has-ascii-header.ts';
import type { OpenSmtpConnection } from './open-smtp-connection.ts';
import { explainSmtpFailure } from './smtp-failure.ts';
import { resetConnection, type SmtpPool, type SmtpSlot } from './smtp-pool.ts';
import { refusedRecipients, type SmtpError } from './smtp-reply.ts';
import { type SentMessage, SmtpTransaction } from './smtp-transaction.ts';

export interface DeliverOverSmtpOptions {
  transport: SmtpTransport;
  pool: SmtpPool;
  from: string;
  /** The sender is the one of `[mail] from`. */
  isOwnSender: boolean;
  /** At least one. */
  to: readonly string[];
  raw: Buffer;
  /** Resolves when it is durable that the message may be out from now on; called before its last bytes leave. */
  beforeEnd: () => Promise<void>;
  signal: AbortSignal;
  log: Log;
}

/**
 * One conversation with one server about one message, inside the transport's deadline, which begins when a connection is
 * free: a server that trickles a reply is cut off too. Once the message is out its reply is waited for even when
 * `signal` aborts, since without it nobody would know.
 *
 * Never throws for what the server or the network did; that is the outcome. An error of `beforeEnd` is thrown as it
 * came, and then the message has not left.
 */
export async function deliverOverSmtp(options: DeliverOverSmtpOptions): Promise<MailOutcome> {
  const { pool, signal, transport } = options;
  let slot: SmtpSlot;
  try {
    slot = await pool.acquire(signal);
  } catch (error) {
    const facts = { error, hasBegun: false, isEndReleased: false, isLate: false };
    return explainSmtpFailure({ ...options, ...facts });
  }
  await using held = slot;
  using cut = new Cut(signal, transport.timeoutMs);
  const first = await converse({ ...options, slot: held, cut, isNew: false });
  if (first !== 'stale') return first;
  const second = await converse({ ...options, slot: held, cut, isNew: true });
  if (second === 'stale') throw new TendError('BUG', 'A new connection to a mail server cannot be stale.');
  return second;
}

/** What ends a conversation early: the signal, or the deadline. Cheaper than signals made of signals, for each message. */
class Cut implements Disposable {
  isLate = false;
  /** Called at either; at both where the signal comes first. */
  onCut: ((reason: Error) => void) | undefined;
  readonly #signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #stop = new AbortController();
  readonly #onAbort = () => this.#end(toError(this.#signal.reason));

  constructor(signal: AbortSignal, timeoutMs: number) {
    this.#signal = signal;
    this.#timer = setTimeout(() => {
      this.isLate = true;
      this.#end(new Error('the deadline has passed'));
    }, timeoutMs);
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Aborted at either. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #end(reason: Error): void {
    this.#stop.abort(reason);
    this.onCut?.(reason);
  }
}

interface Conversation extends DeliverOverSmtpOptions {
  slot: SmtpSlot;
  cut: Cut;
  isNew: boolean;
}

/** `stale`: the server had left a connection that was used before, and nothing of the message has left. */
async function converse(options: Conversation): Promise<MailOutcome | 'stale'> {
  const { transport, slot, cut, isNew, log } = options;
  let open: OpenSmtpConnection | undefined;
  let transaction: SmtpTransaction | undefined;
  let isReused = false;
  try {
    open = await slot.open({ signal: cut.stop, isNew });
    isReused = open.carried > 0;
    open.carried += 1;
    transaction = beginTransaction(options, open);
    const sent = await carryOut(transaction, open, cut);
    log.debug(`${describeTransport(transport)} took the message: ${sent.response}`);
    return answered(sent);
  } catch (error) {
    const { hasBegun = false, hasReleasedEnd: isEndReleased = false, failure, learnt } = transaction ?? {};
    if (open !== undefined) await recover(open, error, transaction);
    if (failure !== undefined) throw failure;
    if (isReused && !hasBegun && !cut.stop.aborted && isGone(error)) return 'stale';
    return explainSmtpFailure({
      ...options,
      ...{ error, hasBegun: open !== undefined, isEndReleased, isLate: cut.isLate },
      learnt: learnt === undefined ? [] : resultsOf(learnt),
    });
  }
}

/** @throws TendError where the server cannot take the message, before anything is said. */
function beginTransaction(options: Conversation, { dialogue, offer }: OpenSmtpConnection): SmtpTransaction {
  const { transport, from, to, raw, beforeEnd } = options;
  for (const address of [from, ...to])
    if (/[\r\n<>]/.test(address)) throw new TendError('BUG', 'An address could end its command.');
  if (!offer.smtpUtf8) refuseUnicodeAddresses({ transport, addresses: [from, ...to], raw });
  if (offer.maxBytes !== undefined && raw.length > offer.maxBytes) {
    const tooLarge: SmtpError = new Error(`the server takes ${offer.maxBytes} bytes at most`);
    tooLarge.code = 'EMESSAGE';
    throw tooLarge;
  }
  return new SmtpTransaction({
    ...{ dialogue, offer, from, to, raw, beforeEnd },
    isLmtp: transport.isLmtp === true,
  });
}

async function carryOut(
  transaction: SmtpTransaction,
  open: OpenSmtpConnection,
  cut: Cut,
): Promise<SentMessage> {
  const onCut = (reason: Error) => {
    if (cut.isLate || !transaction.hasReleasedEnd) open.dialogue.fail(reason);
  };
  cut.onCut = onCut;
  if (cut.stop.aborted) onCut(toError(cut.stop.reason));
  try {
    const sent = await transaction.run();
    if (transaction.hasReleasedEnd) return sent;
    throw new Error(`the server replied "${sent.response}" before the message ended`);
  } catch (error) {
    // What was cut off in the middle cannot be used again; a reply leaves the connection in a known state.
    if (!isReply(error)) open.isUsable = false;
    throw error;
  } finally {
    cut.onCut = undefined;
  }
}

/** After a refusal the connection is as good as before, once it is reset. */
async function recover(
  open: OpenSmtpConnection,
  error: unknown,
  { hasBegun, hasReleasedEnd }: Partial<SmtpTransaction> = {},
): Promise<void> {
  // In the middle of a message a command would be a part of it.
  const isBetween = hasBegun !== true || hasReleasedEnd === true;
  if (isReply(error) && responseCodeOf(error) !== 421 && isBetween) await resetConnection(open);
  else open.isUsable = hasBegun === undefined && open.isUsable;
}

function isReply(error: unknown): boolean {
  return responseCodeOf(error) !== undefined;
}

function responseCodeOf(error: unknown): number | undefined {
  const { responseCode, rejectedErrors }: SmtpError = error instanceof Error ? error : new Error();
  return responseCode ?? rejectedErrors?.[0]?.responseCode;
}

/** The server closed the connection while it idled, or says that it is about to. */
function isGone(error: unknown): boolean {
  const code = responseCodeOf(error);
  return !(error instanceof TendError) && (code === undefined || code === 421);
}

/** RFC 6531 §3.4: without the server's SMTPUTF8 such a message must not be sent, and nodemailer would send it. */
function refuseUnicodeAddresses(given: { transport: SmtpTransport; addresses: string[]; raw: Buffer }): void {
  if (!given.addresses.some(needsSmtpUtf8) && hasAsciiHeader(given.raw)) return;
  const server = describeTransport(given.transport);
  throw new TendError(
    'MAIL_ADDRESS_INVALID',
    `The message has an address with characters beyond ASCII before the "@", and ${server} does not take those (SMTPUTF8).`,
    { isPermanent: true },
  );
}

function answered(sent: SentMessage): MailOutcome {
  return { state: 'answered', recipients: resultsOf(sent), reply: sent.response };
}

function resultsOf({ accepted, rejectedErrors }: SmtpTransaction['learnt']): DeliveryRecipient[] {
  const taken = accepted.map((address) => ({ address, status: 'accepted' as const }));
  return [...taken, ...refusedRecipients(rejectedErrors)];
}
