import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { TendError } from '../errors.ts';
import type { ComposedMessage } from './compose-message.ts';
import { type HeaderField, splitMessage, unfold } from './header-block.ts';
import type { MailAddress } from './mail-address.ts';
import { parseAddress } from './parse-address.ts';
import type { SendmailRequest } from './sendmail-arguments.ts';
import { splitAddressList } from './split-address-list.ts';

export interface PrepareMessageOptions {
  request: SendmailRequest;
  /** The whole message, as it came on standard input. */
  input: Buffer;
  /** `[mail] from`: its domain completes bare names such as `root`, its address is the sender where none is given. */
  defaultFrom: string | undefined;
  redirectAll: string | undefined;
  /** Stand in where no `[mail] from` is configured. */
  hostName: string;
  userName: string;
  clock: Clock;
}

/**
 * Makes a message that another program wrote ready to be sent: blind copies are taken out of the data, what providers
 * refuse is put right (no From, Date or Message-ID; cron's `From: root (Cron Daemon)`), the rest stays as it is.
 *
 * @throws TendError MAIL_ADDRESS_INVALID; USAGE where nobody is to get it.
 */
export function prepareMessage(options: PrepareMessageOptions): ComposedMessage {
  const { request, clock } = options;
  const message = splitMessage(untilDot(options.input.toString('latin1'), request.endsAtDot));
  const to = findRecipients(options, message.fields);
  const sender = findSender(options);
  const domain = domainOf(options);
  const kept = message.fields.filter(({ name }) => !/^(bcc|resent-bcc|return-path)$/i.test(name));
  const has = (wanted: string) => kept.some(({ name }) => name.toLowerCase() === wanted);
  const messageId = messageIdOf(kept) ?? `<${randomUUID()}@${domain}>`;
  const lines = kept.map((field) => (/^from$/i.test(field.name) ? repairFrom(field, options) : field.text));
  if (!has('from'))
    lines.push(
      formatFrom({ name: request.fullName ?? '', address: sender || `${options.userName}@${domain}` }),
    );
  if (!has('date')) lines.push(`Date: ${clock.now().toUTCString().replace('GMT', '+0000')}`);
  if (!has('message-id')) lines.push(`Message-ID: ${messageId}`);
  if (options.redirectAll !== undefined)
    lines.push(...to.map((address) => `X-Tend-Redirected-From: ${latin1(address)}`));
  const raw = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${message.body}`, 'latin1');
  return {
    messageId,
    envelope: {
      from: sender,
      to:
        options.redirectAll === undefined
          ? to
          : [parse(options, options.redirectAll, 'tend.toml [mail] redirect_all').address],
    },
    raw,
  };
}

function untilDot(input: string, endsAtDot: boolean): string {
  const dot = endsAtDot ? /^\.\r?$/m.exec(input) : null;
  return dot === null ? input : input.slice(0, dot.index);
}

function findRecipients(options: PrepareMessageOptions, fields: readonly HeaderField[]): string[] {
  const { recipients, readsRecipients } = options.request;
  const found = recipients
    .flatMap(splitAddressList)
    .map((text) => parse(options, text, 'the arguments').address);
  for (const field of readsRecipients ? fields.filter(({ name }) => /^(to|cc|bcc)$/i.test(name)) : []) {
    for (const text of splitAddressList(unfold(field))) found.push(parse(options, text, field.name).address);
  }
  if (found.length > 0) return [...new Set(found)];
  throw new TendError('USAGE', 'Nobody would get the message: no recipient was given.', {
    hint: 'tend-sendmail bob@example.org < message, or tend-sendmail -t to take To, Cc and Bcc of the message.',
  });
}

/** A full address given with -f is kept, `<>` too; a bare name gives way to the configured sender providers accept. */
function findSender(options: PrepareMessageOptions): string {
  const { sender } = options.request;
  if (sender === '') return '';
  if (sender?.includes('@') === true) return parse(options, sender, '-f').address;
  if (options.defaultFrom !== undefined)
    return parse(options, options.defaultFrom, 'tend.toml [mail] from').address;
  return parse(options, sender ?? options.userName, '-f').address;
}

/** A name without a domain: `root`, `www-data`. */
const bareName = /^[\w+-]+(\.[\w+-]+)*$/;

/** A bare name is completed; an address is read as strictly as any other. */
function parse(options: PrepareMessageOptions, text: string, field: string): MailAddress {
  return parseAddress({ text: bareName.test(text) ? `${text}@${domainOf(options)}` : text, field });
}

function domainOf({ defaultFrom, hostName }: PrepareMessageOptions): string {
  if (defaultFrom === undefined) return hostName;
  const { address } = parseAddress({ text: defaultFrom, field: 'tend.toml [mail] from' });
  return address.slice(address.lastIndexOf('@') + 1);
}

/** `root (Cron Daemon)` and `"root" <root>` get a domain; anything else is the program's own business. */
function repairFrom(field: HeaderField, options: PrepareMessageOptions): string {
  const value = unfold(field);
  const [only, another] = splitAddressList(value);
  if (only === undefined || another !== undefined || !bareName.test(only)) return field.text;
  const name = /\(([^()]*)\)/.exec(value)?.[1] ?? /^"?([^"<]*?)"?\s*</.exec(value)?.[1] ?? '';
  return formatFrom({
    name: options.request.fullName ?? name,
    address: parse(options, only, 'From').address,
  });
}

function formatFrom({ name, address }: MailAddress): string {
  const shown = name.replace(/[\p{Cc}"\\]/gu, ' ').trim();
  if (shown === '') return `From: ${latin1(address)}`;
  const isAscii = /^[ -~]*$/.test(shown);
  const written = isAscii
    ? `"${shown}"`
    : `=?UTF-8?B?${Buffer.from([...shown].slice(0, 12).join('')).toString('base64')}?=`;
  return `From: ${written} <${latin1(address)}>`;
}

function messageIdOf(fields: readonly HeaderField[]): string | undefined {
  const field = fields.find(({ name }) => name.toLowerCase() === 'message-id');
  return field === undefined ? undefined : /<[^<>\s]{3,250}>/.exec(unfold(field))?.[0];
}

/** UTF-8 bytes in the form this file builds messages in. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
