import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { TendError } from '../errors.ts';
import { checkHeaders, lineProblem } from './check-headers.ts';
import type { MailAddress } from './mail-address.ts';
import type { MailMessage } from './mail-message.ts';
import { parseAddress } from './parse-address.ts';
import { type ReadAttachment, readAttachments } from './read-attachments.ts';

export interface ComposeMessageOptions {
  message: MailMessage;
  /** `[mail] from`, where the message names no sender. */
  defaultFrom: string | undefined;
  /** `[mail] redirect_all`: the only recipient, whoever was meant. */
  redirectAll: string | undefined;
  /** What relative attachment paths are relative to. */
  baseDirectory: string;
  /** `[mail] attachments_from`, absolute: attachments by path are read only inside these. */
  attachmentsFrom: readonly string[];
  clock: Clock;
  signal: AbortSignal;
}

/** A message as it leaves: these bytes, whatever the attempt. */
export interface ComposedMessage {
  /** With angle brackets, as in the header. */
  messageId: string;
  envelope: { from: string; to: string[] };
  raw: Buffer;
}

/**
 * Builds a message once. Message-ID, Date and the boundary are drawn here and live in the bytes, so every attempt sends
 * the same and a receiver can recognise a copy. Blind copies are in the envelope and nowhere in the bytes.
 *
 * @throws TendError MAIL_ADDRESS_INVALID, MAIL_MESSAGE_INVALID, INPUT_MISSING (all permanent), MAIL_NOT_CONFIGURED.
 */
export async function composeMessage(options: ComposeMessageOptions): Promise<ComposedMessage> {
  const { message, clock } = options;
  checkContent(message);
  const parties = readParties(options);
  const recipients = distinct([...parties.to, ...parties.cc, ...parties.bcc].map(({ address }) => address));
  const attachments = await readAttachments({ ...options, attachments: message.attachments ?? [] });
  const id = randomUUID();
  const messageId = `<${id}@${parties.from.address.slice(parties.from.address.lastIndexOf('@') + 1)}>`;
  const redirect = options.redirectAll;
  const raw = await build({
    ...parties,
    message,
    attachments,
    messageId,
    boundary: id,
    date: clock.now(),
    extraHeaders: redirect === undefined ? {} : { 'X-Tend-Redirected-From': recipients.join(', ') },
  });
  const to =
    redirect === undefined ? recipients : [parseAddress({ text: redirect, field: redirectField }).address];
  return { messageId, envelope: { from: parties.from.address, to }, raw };
}

const redirectField = 'tend.toml [mail] redirect_all';

function checkContent(message: MailMessage): void {
  const problem = lineProblem(message.subject);
  if (problem !== undefined) {
    throw new TendError('MAIL_MESSAGE_INVALID', `The subject ${problem}.`, { isPermanent: true });
  }
  checkHeaders(message.headers ?? {});
  if (message.text === undefined && message.html === undefined && (message.attachments ?? []).length === 0) {
    throw new TendError(
      'MAIL_MESSAGE_INVALID',
      'The message is empty: it has no text, no html and no attachment.',
      {
        isPermanent: true,
      },
    );
  }
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
  throw new TendError('MAIL_MESSAGE_INVALID', 'The message has no recipient.', { isPermanent: true });
}

function parseEach(given: string | readonly string[] | undefined, field: string): MailAddress[] {
  if (typeof given === 'string') return [parseAddress({ text: given, field })];
  return (given ?? []).map((text, index) => parseAddress({ text, field: `${field}[${index}]` }));
}

function distinct(addresses: readonly string[]): string[] {
  return [...new Set(addresses)];
}

interface BuildOptions extends Parties {
  message: MailMessage;
  attachments: ReadAttachment[];
  messageId: string;
  boundary: string;
  date: Date;
  extraHeaders: Record<string, string>;
}

async function build(options: BuildOptions): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  const { message, replyTo } = options;
  const composer = new MailComposer({
    from: options.from,
    to: options.to,
    cc: options.cc,
    ...(replyTo === undefined ? {} : { replyTo }),
    subject: message.subject,
    ...(message.text === undefined ? {} : { text: message.text }),
    ...(message.html === undefined ? {} : { html: message.html }),
    headers: { ...message.headers, ...options.extraHeaders },
    attachments: options.attachments,
    messageId: options.messageId,
    date: options.date,
    baseBoundary: options.boundary,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return await composer.compile().build();
}
