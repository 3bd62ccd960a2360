import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { TendError } from '../../errors.ts';
import {
  expandRecipient,
  isBareName,
  type LocalNames,
  localDomain,
  qualifyAddress,
} from '../addresses/local-names.ts';
import { formatMailbox, repairAddressHeader } from '../addresses/repair-address-header.ts';
import { splitAddressList } from '../addresses/split-address-list.ts';
import { completeBody } from '../compose/complete-body.ts';
import type { ComposedMessage } from '../compose/compose-message.ts';
import { encodeHeader } from '../compose/encode-header.ts';
import { type HeaderField, splitMessage, unfold } from '../compose/header-block.ts';
import type { SendmailRequest } from './sendmail-arguments.ts';

export interface PrepareMessageOptions extends LocalNames {
  request: Omit<SendmailRequest, 'config'>;
  /** The whole message, as it came on standard input. */
  input: Buffer;
  redirectAll: string | undefined;
  /** Name of the sender where neither an argument nor the configuration gives one. */
  userName: string;
  clock: Clock;
}

/**
 * Makes a message that another program wrote ready to be sent: blind copies are taken out of the data, what providers
 * refuse is put right (no From, Date or Message-ID; cron's `From: root (Cron Daemon)`; bytes beyond ASCII that nothing
 * declares; lines without end), the rest stays as it is.
 *
 * @throws TendError MAIL_ADDRESS_INVALID; USAGE where nobody is to get it.
 */
export function prepareMessage(options: PrepareMessageOptions): ComposedMessage {
  const { request, redirectAll } = options;
  const message = splitMessage(untilDot(options.input.toString('latin1'), request.endsAtDot));
  const to = findRecipients(options, message.fields);
  const from = findSender(options);
  const kept = message.fields.filter((field) => isKept(field));
  const messageId = messageIdOf(kept) ?? `<${randomUUID()}@${localDomain(options)}>`;
  const { headers, replaced, body } = completeBody({ fields: kept, body: message.body });
  const lines = [
    ...kept
      .filter(({ name }) => !replaced.includes(name.toLowerCase()))
      .map((field) => encodeHeader(repairAddressHeader(field, options))),
    ...missingHeaders(options, kept, { from, messageId }),
    ...headers,
    ...(redirectAll === undefined ? [] : to.map((address) => `X-Tend-Redirected-From: ${latin1(address)}`)),
  ];
  const raw = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
  const redirected = redirectAll === undefined ? undefined : qualify(options, redirectAll, 'redirect_all');
  return { messageId, envelope: { from, to: redirected === undefined ? to : [redirected] }, raw };
}

/** Blind copies go, and what only a server may write, and a Message-ID that is none. */
function isKept(field: HeaderField): boolean {
  if (field.name.toLowerCase() === 'message-id') return messageIdOf([field]) !== undefined;
  return !/^(bcc|resent-bcc|return-path)$/i.test(field.name);
}

function untilDot(input: string, endsAtDot: boolean): string {
  const dot = endsAtDot ? /^\.\r?$/m.exec(input) : null;
  return dot === null ? input : input.slice(0, dot.index);
}

function findRecipients(options: PrepareMessageOptions, fields: readonly HeaderField[]): string[] {
  const { recipients, readsRecipients } = options.request;
  const found = recipients
    .flatMap(splitAddressList)
    .flatMap((text) => expandRecipient(options, text, 'the arguments'));
  for (const field of readsRecipients ? recipientFields(fields) : []) {
    for (const text of splitAddressList(unfold(field)))
      found.push(...expandRecipient(options, text, field.name));
  }
  if (found.length > 0) return [...new Set(found)];
  throw new TendError('USAGE', 'Nobody would get the message: no recipient was given.', {
    hint: 'tend-sendmail bob@example.org < message, or tend-sendmail -t to take To, Cc and Bcc of the message.',
  });
}

/** A message that is sent on goes to those of its Resent-To, and not once more to its first readers (RFC 5322 §3.6.6). */
function recipientFields(fields: readonly HeaderField[]): HeaderField[] {
  const resent = fields.filter(({ name }) => /^resent-(to|cc|bcc)$/i.test(name));
  return resent.length > 0 ? resent : fields.filter(({ name }) => /^(to|cc|bcc)$/i.test(name));
}

/** A full address given with -f is kept, `<>` too; a bare name gives way to the configured sender providers accept. */
function findSender(options: PrepareMessageOptions): string {
  const { sender } = options.request;
  if (sender === '') return '';
  if (sender?.includes('@') === true) return qualifyAddress(options, sender, '-f').address;
  if (options.defaultFrom !== undefined) return qualify(options, options.defaultFrom, 'from');
  return qualifyAddress(options, sender !== undefined && isBareName(sender) ? sender : options.userName, '-f')
    .address;
}

function qualify(options: PrepareMessageOptions, text: string, key: string): string {
  return qualifyAddress(options, text, `tend.toml [mail] ${key}`).address;
}

function missingHeaders(
  options: PrepareMessageOptions,
  kept: readonly HeaderField[],
  found: { from: string; messageId: string },
): string[] {
  const { request, userName, clock } = options;
  const has = (...wanted: string[]) => kept.some(({ name }) => wanted.includes(name.toLowerCase()));
  const address = found.from || `${userName}@${localDomain(options)}`;
  const lines: string[] = [];
  if (!has('from')) lines.push(`From: ${formatMailbox({ name: request.fullName ?? '', address })}`);
  if (!has('to', 'cc')) lines.push('To: undisclosed-recipients:;');
  if (!has('date')) lines.push(`Date: ${clock.now().toUTCString().replace('GMT', '+0000')}`);
  if (messageIdOf(kept) === undefined) lines.push(`Message-ID: ${found.messageId}`);
  return lines;
}

function messageIdOf(fields: readonly HeaderField[]): string | undefined {
  const field = fields.find(({ name }) => name.toLowerCase() === 'message-id');
  return field === undefined ? undefined : /<[^<>\s]{3,250}>/.exec(unfold(field))?.[0];
}

/** UTF-8 bytes in the form this file builds messages in. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
