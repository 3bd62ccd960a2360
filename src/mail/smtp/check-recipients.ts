import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { DeliveryRecipient } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import { needsSmtpUtf8 } from '../addresses/mail-address.ts';
import { describeTransport, type SmtpTransport } from '../servers/mail-transport.ts';
import { type OpenSmtpConnectionOptions, openSmtpConnection } from './open-smtp-connection.ts';
import type { SmtpDialogue } from './smtp-dialogue.ts';
import { serverRefused, temporary } from './smtp-errors.ts';
import { explainSmtpFailure } from './smtp-failure.ts';

export interface CheckRecipientsOptions extends Omit<OpenSmtpConnectionOptions, 'transport'> {
  transport: SmtpTransport;
  from: string;
  to: readonly string[];
  /** Bytes of the message, which a server may find too many. */
  size: number;
}

/** What a mail server says before it has seen a message. */
export interface CheckedRecipients {
  /** `host:port`. */
  server: string;
  /** Null where the connection is not encrypted. */
  tls: { protocol: string; cipher: string; isVerified: boolean } | null;
  isLoggedIn: boolean;
  /** As it lists them: `SIZE 10240000`, `8BITMIME`. */
  extensions: string[];
  recipients: { address: string; status: DeliveryRecipient['status']; reply: string }[];
}

/**
 * Goes with a mail server as far as a real message would before its first byte (connect, TLS, log in, MAIL, RCPT), and
 * then takes it all back: RSET, QUIT. A server may still refuse what it has accepted here, once it has seen the message.
 *
 * @throws TendError MAIL_* for what would keep the message from every recipient.
 */
export async function checkRecipients(options: CheckRecipientsOptions): Promise<CheckedRecipients> {
  const { transport, to, signal } = options;
  const deadline = AbortSignal.timeout(transport.timeoutMs);
  const stop = AbortSignal.any([signal, deadline]);
  let hasBegun = false;
  try {
    const { connection, dialogue, offered } = await openSmtpConnection({ ...options, signal: stop });
    hasBegun = true;
    const { _socket: socket } = connection;
    if (!(socket instanceof Socket)) throw new Error('the server closed the connection');
    const onStop = () => socket.destroy();
    stop.addEventListener('abort', onStop);
    try {
      const facts = factsOf(options, socket, offered);
      return {
        ...facts,
        recipients: await converse(options, dialogue, facts.extensions),
      };
    } finally {
      stop.removeEventListener('abort', onStop);
      connection.close();
    }
  } catch (error) {
    const isLate = deadline.aborted;
    const outcome = explainSmtpFailure({
      ...{ error, transport, to, signal, hasBegun, isLate, isEndReleased: false, isOwnSender: false },
    });
    throw outcome.state === 'not-delivered' ? outcome.error : error;
  }
}

function factsOf(
  { transport }: CheckRecipientsOptions,
  socket: Socket,
  offered: string,
): Omit<CheckedRecipients, 'recipients'> {
  const tls =
    socket instanceof TLSSocket
      ? {
          protocol: socket.getProtocol() ?? '',
          cipher: socket.getCipher().name,
          // A pinned certificate has been compared.
          isVerified: socket.authorized || transport.fingerprint !== undefined,
        }
      : null;
  const extensions = offered
    .split('\n')
    .slice(1)
    .map((line) => line.replace(/^\d{3}[ -]/, '').trim())
    .filter((line) => line !== '');
  return {
    server: describeTransport(transport),
    tls,
    isLoggedIn: transport.credentials !== undefined,
    extensions,
  };
}

async function converse(
  { transport, from, to, size }: CheckRecipientsOptions,
  dialogue: SmtpDialogue,
  extensions: readonly string[],
): Promise<CheckedRecipients['recipients']> {
  const offers = (name: string) => extensions.some((line) => line.toUpperCase().split(' ')[0] === name);
  const isBeyondAscii = [from, ...to].some(needsSmtpUtf8);
  if (isBeyondAscii && !offers('SMTPUTF8')) {
    throw new TendError(
      'MAIL_ADDRESS_INVALID',
      `An address has characters beyond ASCII before the "@", and ${describeTransport(transport)} does not take those (SMTPUTF8).`,
      { isPermanent: true },
    );
  }
  const parameters = `${offers('SIZE') ? ` SIZE=${size}` : ''}${isBeyondAscii ? ' SMTPUTF8' : ''}`;
  const mail = await dialogue.say(`MAIL FROM:<${from}>${parameters}`);
  if (mail.code >= 500) throw serverRefused(transport, mail.text);
  if (mail.code >= 400) throw temporary(transport, 'takes no message now', mail.text);
  const recipients: CheckedRecipients['recipients'] = [];
  for (const address of to) {
    const { code, text: reply } = await dialogue.say(`RCPT TO:<${address}>`);
    const status = code < 300 ? 'accepted' : code >= 500 ? 'refused' : 'deferred';
    recipients.push({ address, status, reply });
  }
  await dialogue.say('RSET');
  // Servers end the connection with their reply, or before it.
  await dialogue.say('QUIT').catch(() => undefined);
  return recipients;
}
