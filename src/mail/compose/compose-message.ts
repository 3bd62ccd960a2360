import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { MailAddress } from '../addresses/mail-address.ts';
import { parseAddress } from '../addresses/parse-address.ts';
import { signMessage } from '../dkim/sign-message.ts';
import { type MessageContent, renderMessage } from '../templates/render-message.ts';
import { checkExpiry } from './check-expiry.ts';
import { lineProblem } from './check-headers.ts';
import { checkInlineImages } from './check-inline-images.ts';
import type { ComposingSettings } from './composing-settings.ts';
import type { MailMessage } from './mail-message.ts';
import { messageHeaders } from './message-headers.ts';
import { readAttachments } from './read-attachments.ts';
import { writeMessage } from './write-message.ts';

export interface ComposeMessageOptions extends ComposingSettings {
  message: MailMessage;
  /** What relative attachment paths are relative to. */
  baseDirectory: string;
  /** For attachments that lie in the database. */
  db?: Kysely<Database> | undefined;
  clock: Clock;
  signal: AbortSignal;
  log: Log;
}

/** A message as it leaves: these bytes, whatever the attempt. */
export interface ComposedMessage {
  /** With angle brackets, as in the header. */
  messageId: string;
  envelope: { from: string; to: string[] };
  raw: Buffer;
}

/**
 * Builds a message once. Message-ID, Date, the boundary and the signature are made here and live in the bytes, so every
 * attempt sends the same and a receiver can recognise a copy. Blind copies are in the envelope and nowhere in the bytes.
 *
 * @throws TendError MAIL_EXPIRED, MAIL_ADDRESS_INVALID, MAIL_MESSAGE_INVALID, MAIL_TEMPLATE_INVALID, INPUT_MISSING (all
 * permanent), MAIL_NOT_CONFIGURED, CATALOG_INVALID.
 */
export async function composeMessage(options: ComposeMessageOptions): Promise<ComposedMessage> {
  const { message, clock, log, dkim } = options;
  checkExpiry({ message, clock });
  const content = await renderMessage(options);
  checkContent(message, content);
  const headers = messageHeaders(message);
  const parties = readParties(options);
  const recipients = distinct([...parties.to, ...parties.cc, ...parties.bcc].map(({ address }) => address));
  const attachments = await readAttachments({ ...options, attachments: message.attachments ?? [] });
  const id = randomUUID();
  const fromDomain = parties.from.address.slice(parties.from.address.lastIndexOf('@') + 1);
  const messageId = `<${id}@${fromDomain}>`;
  const date = clock.now();
  const written = await writeMessage({
    ...parties,
    ...content,
    attachments,
    headers: { ...headers, ...redirectedFrom(options, recipients) },
    messageId,
    boundary: id,
    date,
  });
  const isDefaultFrom = message.from === undefined;
  const raw = await signMessage({ raw: written, fromDomain, dkim, isDefaultFrom, date, log });
  return { messageId, envelope: { from: parties.from.address, to: envelopeTo(options, recipients) }, raw };
}

function redirectedFrom(
  { redirectAll }: ComposeMessageOptions,
  recipients: readonly string[],
): Record<string, string> {
  return redirectAll === undefined ? {} : { 'X-Tend-Redirected-From': recipients.join(', ') };
}

function envelopeTo({ redirectAll }: ComposeMessageOptions, recipients: string[]): string[] {
  return redirectAll === undefined
    ? recipients
    : [parseAddress({ text: redirectAll, field: redirectField }).address];
}

const redirectField = 'tend.toml [mail] redirect_all';

function checkContent(message: MailMessage, { subject, text, html }: MessageContent): void {
  const problem = lineProblem(subject);
  if (problem !== undefined) throw invalid(`The subject ${problem}.`);
  const attachments = message.attachments ?? [];
  if (text === undefined && html === undefined && attachments.length === 0) {
    throw invalid('The message is empty: it has no text, no html and no attachment.');
  }
  for (const [name, each] of Object.entries({ text, html })) {
    if (each?.isWellFormed() === false) throw invalid(`The ${name} is not valid Unicode.`);
  }
  checkInlineImages({ html, attachments });
}

function invalid(message: string): TendError {
  return new TendError('MAIL_MESSAGE_INVALID', message, { isPermanent: true });
}

interface Parties {
  from: MailAddress;
  replyTo: MailAddress | undefined;
  to: MailAddress[];
  cc: MailAddress[];
  bcc: MailAddress[];
}

function readParties({ message, defaultFrom }: ComposeMessageOptions): Parties {
  const from = message.from ?? defaultFrom;
  if (from === undefined) {
    throw new TendError('MAIL_NOT_CONFIGURED', 'The message has no sender, and tend.toml names none.', {
      hint: 'Set it in tend.toml: [mail] from = "CMS <cms@example.org>", or give --from.',
    });
  }
  const fromField = message.from === undefined ? 'tend.toml [mail] from' : 'from';
  const parties = {
    from: parseAddress({ text: from, field: fromField }),
    replyTo:
      message.replyTo === undefined ? undefined : parseAddress({ text: message.replyTo, field: 'replyTo' }),
    to: parseEach(message.to, 'to'),
    cc: parseEach(message.cc, 'cc'),
    bcc: parseEach(message.bcc, 'bcc'),
  };
  if (parties.to.length + parties.cc.length + parties.bcc.length > 0) return parties;
  throw invalid('The message has no recipient.');
}

function parseEach(given: string | readonly string[] | undefined, field: string): MailAddress[] {
  if (typeof given === 'string') return [parseAddress({ text: given, field })];
  return (given ?? []).map((text, index) => parseAddress({ text, field: `${field}[${index}]` }));
}

function distinct(addresses: readonly string[]): string[] {
  return [...new Set(addresses)];
}
