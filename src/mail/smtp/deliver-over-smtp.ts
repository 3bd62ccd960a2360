import { isAscii } from 'node:buffer';
import { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { needsSmtpUtf8 } from '../addresses/mail-address.ts';
import { GatedBody } from '../delivery/gated-body.ts';
import type { MailOutcome } from '../delivery/mail-outcome.ts';
import { describeTransport, type SmtpTransport } from '../servers/mail-transport.ts';
import type { SmtpConnection, SmtpSendInfo } from './create-smtp-connection.ts';
import { type OpenSmtpConnection, promised } from './open-smtp-connection.ts';
import { explainSmtpFailure } from './smtp-failure.ts';
import { resetConnection, type SmtpPool, type SmtpSlot } from './smtp-pool.ts';
import { cleanReply, refusedRecipients, type SmtpError } from './smtp-reply.ts';

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
  const deadline = AbortSignal.timeout(transport.timeoutMs);
  const first = await converse({ ...options, slot: held, deadline, isNew: false });
  if (first !== 'stale') return first;
  const second = await converse({ ...options, slot: held, deadline, isNew: true });
  if (second === 'stale') throw new TendError('BUG', 'A new connection to a mail server cannot be stale.');
  return second;
}

interface Conversation extends DeliverOverSmtpOptions {
  slot: SmtpSlot;
  deadline: AbortSignal;
  isNew: boolean;
}

/** `stale`: the server had left a connection that was used before, and nothing of the message has left. */
async function converse(options: Conversation): Promise<MailOutcome | 'stale'> {
  const { transport, slot, signal, deadline, isNew, log } = options;
  const body = new GatedBody(options.raw, options.beforeEnd);
  const stop = AbortSignal.any([signal, deadline]);
  let open: OpenSmtpConnection | undefined;
  let isReused = false;
  try {
    open = await slot.open({ signal: stop, isNew });
    isReused = open.carried > 0;
    open.carried += 1;
    const sent = await send({ ...options, stop, body, open });
    if (!body.hasReleasedEnd)
      throw new Error(`the server replied "${cleanReply(sent.response)}" before the message ended`);
    log.debug(`${describeTransport(transport)} took the message: ${cleanReply(sent.response)}`);
    return answered(sent);
  } catch (error) {
    const hasBegunBody = body.hasBegun;
    body.destroy();
    await body.gateSettled();
    if (open !== undefined) await recover(open, error, body);
    if (body.failure !== undefined) throw body.failure;
    if (isReused && !hasBegunBody && !stop.aborted && isGone(error)) return 'stale';
    return explainSmtpFailure({
      ...options,
      error,
      hasBegun: open !== undefined,
      isEndReleased: body.hasReleasedEnd,
      isLate: deadline.aborted,
    });
  } finally {
    body.destroy();
  }
}

interface Sending extends Conversation {
  stop: AbortSignal;
  body: GatedBody;
  open: OpenSmtpConnection;
}

async function send({
  open,
  body,
  transport,
  from,
  to,
  raw,
  stop,
  deadline,
}: Sending): Promise<SmtpSendInfo> {
  const { connection } = open;
  if (!/[ -]SMTPUTF8\b/i.test(open.offered))
    refuseUnicodeAddresses({ transport, addresses: [from, ...to], raw });
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  const onStop = () => {
    if (deadline.aborted || !body.hasReleasedEnd) broken.reject(stop.reason);
  };
  const onDeadline = () => broken.reject(deadline.reason);
  connection.on('error', broken.reject);
  stop.addEventListener('abort', onStop);
  deadline.addEventListener('abort', onDeadline);
  if (stop.aborted) onStop();
  body.beforeLastChunk = () => sendTogether(connection);
  const envelope = { from, to: [...to], size: raw.length, use8BitMime: hasEightBitBody(raw) };
  try {
    const sending = promised<SmtpSendInfo>((done) => connection.send(envelope, body, done));
    return await Promise.race([broken.promise, sending]);
  } catch (error) {
    // What was cut off in the middle cannot be used again; a reply leaves the connection in a known state.
    if (!isReply(error)) open.isUsable = false;
    throw error;
  } finally {
    connection.off('error', broken.reject);
    stop.removeEventListener('abort', onStop);
    deadline.removeEventListener('abort', onDeadline);
  }
}

/** The last bytes of a message and the dot behind them, which nodemailer writes apart, in one packet. */
function sendTogether({ _socket: socket }: SmtpConnection): void {
  if (!socket) return;
  socket.cork();
  setImmediate(() => socket.uncork());
}

/** After a refusal the connection is as good as before, once it is reset. */
async function recover(open: OpenSmtpConnection, error: unknown, body: GatedBody): Promise<void> {
  if (isReply(error) && responseCodeOf(error) !== 421 && body.failure === undefined)
    await resetConnection(open);
  else open.isUsable = error instanceof TendError && error.isPermanent && open.isUsable && !body.hasBegun;
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
  const header = given.raw.subarray(0, Math.max(given.raw.indexOf('\r\n\r\n'), 0));
  if (!given.addresses.some(needsSmtpUtf8) && isAscii(header)) return;
  const server = describeTransport(given.transport);
  throw new TendError(
    'MAIL_ADDRESS_INVALID',
    `The message has an address with characters beyond ASCII before the "@", and ${server} does not take those (SMTPUTF8).`,
    { isPermanent: true },
  );
}

function hasEightBitBody(raw: Buffer): boolean {
  return !isAscii(raw.subarray(Math.max(raw.indexOf('\r\n\r\n'), 0)));
}

function answered(sent: SmtpSendInfo): MailOutcome {
  const recipients = sent.accepted.map((address) => ({ address, status: 'accepted' as const }));
  return {
    state: 'answered',
    recipients: [...recipients, ...refusedRecipients(sent.rejectedErrors ?? [])],
    reply: cleanReply(sent.response),
  };
}
