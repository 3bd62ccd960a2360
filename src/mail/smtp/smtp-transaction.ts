import { isAscii } from 'node:buffer';
import { toError } from '../../errors.ts';
import { needsSmtpUtf8 } from '../addresses/mail-address.ts';
import { hasAsciiHeader } from './has-ascii-header.ts';
import { toMailData } from './mail-data.ts';
import type { SmtpDialogue, SmtpReply } from './smtp-dialogue.ts';
import type { SmtpOffer } from './smtp-offer.ts';
import type { SmtpError } from './smtp-reply.ts';

export interface SmtpTransactionOptions {
  dialogue: SmtpDialogue;
  offer: SmtpOffer;
  isLmtp: boolean;
  from: string;
  to: readonly string[];
  raw: Buffer;
  /** Resolves when it is durable that the message may be out from now on. */
  beforeEnd: () => Promise<void>;
}

/** What a server took. */
export interface SentMessage {
  accepted: string[];
  rejectedErrors: SmtpError[];
  response: string;
}

/** Held back until `beforeEnd` has resolved. */
const tailBytes = 64 * 1024;
const end = Buffer.from('.\r\n');

/**
 * One message on an open connection: MAIL, RCPT, DATA, the message. Its last bytes are kept back until `beforeEnd` has
 * resolved: a mail server acts on a message only once it has seen its end, so what `beforeEnd` records is durable before
 * anything can be delivered.
 */
export class SmtpTransaction {
  /** The server has asked for the message: before that nothing of it can be anywhere. */
  hasBegun = false;
  /** From the moment the last bytes are given away: from here on, no reply means nobody knows. */
  hasReleasedEnd = false;
  /** What `beforeEnd` failed with. */
  failure: Error | undefined;
  /** What the server has said so far of recipients, also where the conversation breaks. */
  readonly learnt: Pick<SentMessage, 'accepted' | 'rejectedErrors'> = { accepted: [], rejectedErrors: [] };
  readonly #options: SmtpTransactionOptions;

  constructor(options: SmtpTransactionOptions) {
    this.#options = options;
  }

  /**
   * Not before `beforeEnd` has settled, whatever became of the connection.
   *
   * @throws SmtpError for a refusal; what broke the connection; what `beforeEnd` threw.
   */
  async run(): Promise<SentMessage> {
    const { dialogue, isLmtp, raw } = this.#options;
    const { accepted, rejectedErrors } = await this.#openEnvelope();
    this.hasBegun = true;
    this.learnt.rejectedErrors.push(...rejectedErrors);
    const answered = dialogue.replies(isLmtp ? accepted.length : 1);
    await this.#sendMessage(toMailData(raw));
    const replies = await answered;
    if (isLmtp) return this.#judgeEach(accepted, replies);
    const [reply] = replies;
    if (reply === undefined || !isTaken(reply)) throw refusal('Message failed', 'EMESSAGE', 'DATA', reply);
    return { accepted, rejectedErrors, response: reply.text };
  }

  /** An LMTP server answers for each recipient (RFC 2033 §4.2), and may break off in between. */
  #judgeEach(recipients: readonly string[], replies: readonly SmtpReply[]): SentMessage {
    const { dialogue } = this.#options;
    for (const [index, reply] of replies.entries()) {
      const recipient = recipients[index] ?? '';
      if (isTaken(reply)) this.learnt.accepted.push(recipient);
      else this.learnt.rejectedErrors.push(refusal('Message failed', 'EMESSAGE', 'DATA', reply, recipient));
    }
    if (replies.length < recipients.length) throw dialogue.failure ?? new Error('the server does not reply');
    return { ...this.learnt, response: replies.at(-1)?.text ?? '' };
  }

  async #openEnvelope(): Promise<Omit<SentMessage, 'response'>> {
    const { dialogue, offer, to } = this.#options;
    const commands = [this.#mailCommand(), ...to.map((address) => `RCPT TO:<${address}>`)];
    if (offer.pipelining) {
      return await this.#judgePipelined(await dialogue.sayTogether([...commands, 'DATA']));
    }
    const replies: SmtpReply[] = [];
    for (const command of commands) {
      const reply = await dialogue.say(command);
      replies.push(reply);
      if (replies.length === 1 && !isTaken(reply)) throw senderRefusal(reply);
    }
    const judged = this.#judgeRecipients(replies.slice(1));
    if (judged.accepted.length === 0) throw allRefused(judged.rejectedErrors);
    checkDataReply(await dialogue.say('DATA'));
    return judged;
  }

  /** A server must refuse DATA without a recipient it has accepted, and some do not (RFC 2920 §3.1). */
  async #judgePipelined(replies: readonly SmtpReply[]): Promise<Omit<SentMessage, 'response'>> {
    const { dialogue, to, isLmtp } = this.#options;
    const [mail] = replies;
    const data = replies[to.length + 1];
    const isAsked = data?.code === 354;
    if (!isTaken(mail)) {
      // No transaction was open, so an empty message cannot be ended safely either.
      if (isAsked) dialogue.fail(senderRefusal(mail));
      throw senderRefusal(mail);
    }
    const judged = this.#judgeRecipients(replies.slice(1, to.length + 1));
    // Some servers close the connection behind a refusal, and never come to DATA.
    if (replies.length > to.length && judged.accepted.length === 0) {
      const refused = allRefused(judged.rejectedErrors);
      // An LMTP server has nobody to answer for, and would be waited for (RFC 2033 §4.2).
      if (isAsked && isLmtp) dialogue.fail(refused);
      else if (isAsked) await dialogue.say('.').catch(() => undefined);
      throw refused;
    }
    if (data === undefined) throw dialogue.failure ?? new Error('the server does not reply');
    checkDataReply(data);
    return judged;
  }

  #judgeRecipients(replies: readonly SmtpReply[]): Omit<SentMessage, 'response'> {
    const { to } = this.#options;
    const accepted = to.filter((_, index) => isTaken(replies[index]));
    const rejectedErrors = to.flatMap((recipient, index) =>
      isTaken(replies[index])
        ? []
        : [refusal('Recipient command failed', 'EENVELOPE', 'RCPT TO', replies[index], recipient)],
    );
    return { accepted, rejectedErrors };
  }

  #mailCommand(): string {
    const { offer, from, to, raw } = this.#options;
    let command = `MAIL FROM:<${from}>`;
    // Also for an address that stands in the header only: a Reply-To, or one that has the message already.
    const isBeyondAscii = [from, ...to].some(needsSmtpUtf8) || !hasAsciiHeader(raw);
    if (offer.smtpUtf8 && isBeyondAscii) command += ' SMTPUTF8';
    if (offer.eightBitMime && hasEightBitBody(raw)) command += ' BODY=8BITMIME';
    return offer.size ? `${command} SIZE=${raw.length}` : command;
  }

  async #sendMessage(data: Buffer): Promise<void> {
    const { dialogue, beforeEnd } = this.#options;
    const head = Math.max(Math.floor((data.length - 1) / tailBytes) * tailBytes, 0);
    if (head > 0) await dialogue.flush(data.subarray(0, head));
    try {
      if (dialogue.failure === undefined) await beforeEnd();
    } catch (error) {
      this.failure = toError(error);
      throw this.failure;
    }
    // A connection that broke meanwhile, or a reply before its time: then the end stays here.
    if (dialogue.failure !== undefined || !dialogue.isAwaiting) return;
    this.hasReleasedEnd = true;
    dialogue.write(Buffer.concat([data.subarray(head), end]));
  }
}

function hasEightBitBody(raw: Buffer): boolean {
  return !isAscii(raw) && !isAscii(raw.subarray(Math.max(raw.indexOf('\r\n\r\n'), 0)));
}

function isTaken(reply: SmtpReply | undefined): boolean {
  return reply !== undefined && reply.code >= 200 && reply.code < 300;
}

/** 354; a few servers say 250 and mean it. */
function checkDataReply(reply: SmtpReply): void {
  if (reply.code >= 400) throw refusal('Data command failed', 'EENVELOPE', 'DATA', reply);
}

function senderRefusal(reply: SmtpReply | undefined): SmtpError {
  return refusal('Mail command failed', 'EENVELOPE', 'MAIL FROM', reply);
}

function allRefused(rejectedErrors: SmtpError[]): SmtpError {
  const first = rejectedErrors.find(({ responseCode = 0 }) => responseCode < 500) ?? rejectedErrors.at(-1);
  const error = refusal('All recipients were rejected', 'EENVELOPE', 'RCPT TO', undefined);
  error.response = first?.response;
  error.responseCode = first?.responseCode;
  error.rejectedErrors = rejectedErrors;
  return error;
}

function refusal(
  message: string,
  code: string,
  command: string,
  reply: SmtpReply | undefined,
  recipient?: string,
): SmtpError {
  const error: SmtpError = new Error(`${message}: ${reply?.text ?? ''}`);
  error.code = code;
  error.command = command;
  error.response = reply?.text;
  error.responseCode = reply?.code;
  error.recipient = recipient;
  return error;
}
