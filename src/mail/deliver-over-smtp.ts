import { setTimeout as sleep } from 'node:timers/promises';
import { TendError } from '../errors.ts';
import type { Log } from '../log.ts';
import { createSmtpConnection, type SmtpConnection, type SmtpSendInfo } from './create-smtp-connection.ts';
import { GatedBody } from './gated-body.ts';
import { needsSmtpUtf8 } from './mail-address.ts';
import type { MailOutcome } from './mail-outcome.ts';
import { describeTransport, type SmtpTransport } from './mail-transport.ts';
import { explainSmtpFailure } from './smtp-failure.ts';
import { cleanReply, refusedRecipients } from './smtp-reply.ts';

export interface DeliverOverSmtpOptions {
  transport: SmtpTransport;
  from: string;
  /** At least one. */
  to: readonly string[];
  raw: Buffer;
  /** Resolves when it is durable that the message may be out from now on; called before its last bytes leave. */
  beforeEnd: () => Promise<void>;
  signal: AbortSignal;
  log: Log;
}

/**
 * One conversation with one server about one message, inside the transport's deadline: a server that trickles a reply
 * is cut off too. Never throws for what the server or the network did; that is the outcome. An error of `beforeEnd` is
 * thrown as it came, and then the message has not left.
 */
export async function deliverOverSmtp(options: DeliverOverSmtpOptions): Promise<MailOutcome> {
  const { transport, signal, log } = options;
  const connection = await createSmtpConnection(transport);
  const body = new GatedBody(options.raw, options.beforeEnd);
  const deadline = AbortSignal.timeout(transport.timeoutMs);
  const stop = AbortSignal.any([signal, deadline]);
  const stopped = Promise.withResolvers<never>();
  // Both may settle when nobody listens any more.
  stopped.promise.catch(() => {});
  connection.on('error', stopped.reject);
  const onStop = () => stopped.reject(stop.reason);
  stop.addEventListener('abort', onStop);
  if (stop.aborted) onStop();
  try {
    const sent = await Promise.race([stopped.promise, converse({ ...options, connection, body })]);
    if (!body.hasReleasedEnd)
      throw new Error(`the server replied "${cleanReply(sent.response)}" before the message ended`);
    await sayGoodbye(connection);
    log.debug(`${describeTransport(transport)} took the message: ${cleanReply(sent.response)}`);
    return answered(sent);
  } catch (error) {
    body.destroy();
    await body.gateSettled();
    if (body.failure !== undefined) throw body.failure;
    return explainSmtpFailure({
      ...options,
      error,
      isEndReleased: body.hasReleasedEnd,
      isLate: deadline.aborted,
    });
  } finally {
    stop.removeEventListener('abort', onStop);
    connection.close();
    body.destroy();
  }
}

interface Conversation extends DeliverOverSmtpOptions {
  connection: SmtpConnection;
  body: GatedBody;
}

async function converse({ connection, body, transport, from, to, raw }: Conversation): Promise<SmtpSendInfo> {
  await promised<void>((done) => connection.connect((error) => done(error ?? null)));
  const offered = String(connection.lastServerResponse);
  const { credentials } = transport;
  if (credentials !== undefined) {
    if (!connection.allowsAuth) {
      throw insecure(transport, 'it does not offer AUTH, and a user and password are configured');
    }
    const { user, password: pass } = credentials;
    await promised((done) => connection.login({ user, pass, credentials: { user, pass } }, done));
  }
  if (!/[ -]SMTPUTF8\b/i.test(offered)) refuseUnicodeAddresses({ transport, addresses: [from, ...to], raw });
  const envelope = { from, to: [...to], size: raw.length, use8BitMime: hasEightBitBody(raw) };
  return await promised<SmtpSendInfo>((done) => connection.send(envelope, body, done));
}

/** RFC 6531 §3.4: without the server's SMTPUTF8 such a message must not be sent, and nodemailer would send it. */
function refuseUnicodeAddresses(given: { transport: SmtpTransport; addresses: string[]; raw: Buffer }): void {
  const header = given.raw.subarray(0, Math.max(given.raw.indexOf('\r\n\r\n'), 0));
  if (!given.addresses.some(needsSmtpUtf8) && !header.some((byte) => byte > 0x7f)) return;
  const server = describeTransport(given.transport);
  throw new TendError(
    'MAIL_ADDRESS_INVALID',
    `The message has an address with characters beyond ASCII before the "@", and ${server} does not take those (SMTPUTF8).`,
    { isPermanent: true },
  );
}

function hasEightBitBody(raw: Buffer): boolean {
  return raw.subarray(Math.max(raw.indexOf('\r\n\r\n'), 0)).some((byte) => byte > 0x7f);
}

function insecure(transport: SmtpTransport, reason: string): TendError {
  return new TendError(
    'MAIL_SERVER_INSECURE',
    `The mail server ${describeTransport(transport)} was not used: ${reason}.`,
  );
}

function answered(sent: SmtpSendInfo): MailOutcome {
  const recipients = sent.accepted.map((address) => ({ address, status: 'accepted' as const }));
  return {
    state: 'answered',
    recipients: [...recipients, ...refusedRecipients(sent.rejectedErrors ?? [])],
    reply: cleanReply(sent.response),
  };
}

/** QUIT, without waiting long for a server that has nothing to add. */
async function sayGoodbye(connection: SmtpConnection): Promise<void> {
  const ended = new Promise<void>((resolve) => connection.once('end', () => resolve()));
  connection.quit();
  await Promise.race([ended, sleep(500, undefined, { ref: false })]);
}

function promised<T>(start: (done: (error: Error | null, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    // The callbacks of nodemailer give a value whenever they give no error.
    start((error, value) => (error ? reject(error) : resolve(value as T)));
  });
}
