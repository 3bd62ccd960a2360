import { encodeWords } from '../compose/encode-header.ts';
import { type HeaderField, unfold } from '../compose/header-block.ts';
import { isBareName, type LocalNames, qualifyAddress } from './local-names.ts';
import type { MailAddress } from './mail-address.ts';
import { splitAddressList } from './split-address-list.ts';

/**
 * Gives names without a domain one in the headers that show them: cron's `From: root (Cron Daemon)` and `To: root`, which
 * providers refuse. A list is written anew only where it is made of nothing but addresses; anything else is the
 * program's own business.
 */
export function repairAddressHeader(
  field: HeaderField,
  names: LocalNames & { request: { fullName: string | undefined } },
): HeaderField {
  if (!/^(?:from|sender|reply-to|to|cc)$/i.test(field.name)) return field;
  const value = unfold(field);
  const addresses = splitAddressList(value);
  if (!addresses.some(isBareName)) return field;
  const [only = '', another] = addresses;
  const isPlainList = value.split(',').every((part) => /^[^\s()<>"]+$/.test(part.trim()));
  if (another !== undefined && !isPlainList) return field;
  const mailboxes =
    another === undefined
      ? [{ name: nameIn(value) || nameOf(field, names.request.fullName), text: only }]
      : addresses.map((text) => ({ name: '', text }));
  const written = mailboxes.map(({ name, text }) =>
    isBareName(text) ? formatMailbox({ ...qualifyAddress(names, text, field.name), name }) : latin1(text),
  );
  return { name: field.name, text: `${field.name}: ${written.join(', ')}` };
}

/** `-F` names who sends. */
function nameOf({ name }: HeaderField, fullName = ''): string {
  return name.toLowerCase() === 'from' ? fullName : '';
}

function nameIn(value: string): string {
  return /\(([^()]*)\)/.exec(value)?.[1] ?? /^"?([^"<]*?)"?\s*</.exec(value)?.[1] ?? '';
}

/** `"Cron Daemon" <root@example.org>`, bytes as latin1. */
export function formatMailbox({ name, address }: MailAddress): string {
  const shown = name.replace(/[\p{Cc}"\\]/gu, ' ').trim();
  if (shown === '') return latin1(address);
  const written = /^[ -~]*$/.test(shown) ? `"${shown}"` : encodeWords(latin1(shown));
  return `${written} <${latin1(address)}>`;
}

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
