import { isIP, isIPv4 } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';
import { needsSmtpUtf8 } from './mail-address.ts';

/** A domain as DNS and the envelope have it and as people write it, or why it is none. */
export type MailDomain = { ascii: string; unicode: string } | { problem: string };

/**
 * Reads what stands after the "@": a name of one label or more, or an IP address in brackets. Strict where resolvers are
 * lenient: look-alikes are not mapped to what they resemble, numbers are not taken for addresses.
 */
export function readDomain(text: string): MailDomain {
  if (text === '') return { problem: 'nothing stands after the "@"' };
  if (text.startsWith('[')) return readLiteral(text);
  const odd = /[^\p{L}\p{M}\p{N}.@-]/u.exec(text)?.[0];
  if (odd !== undefined) return { problem: `the domain has ${odd === ' ' ? 'a space' : `"${odd}"`}` };
  if (text.includes('@')) return { problem: 'there is more than one "@"' };
  if (text.normalize('NFKC') !== text.normalize('NFC'))
    return { problem: 'the domain has look-alike characters' };
  const unicode = text.normalize('NFC').toLowerCase();
  const ascii = needsSmtpUtf8(unicode) ? domainToASCII(unicode) : unicode;
  if (ascii === '' || ascii.split('.').some(isBrokenLabel))
    return { problem: 'the domain is not a valid internationalised name' };
  if (ascii.length > 253) return { problem: 'the domain is longer than 253 characters' };
  const labels = ascii.split('.');
  if (!labels.every((label) => /^(?!-)[a-z0-9-]{1,63}(?<!-)$/.test(label))) {
    return { problem: 'the domain has an empty, too long or hyphen-edged label' };
  }
  // To many resolvers it is an IPv4 address (0x7f.1 too); RFC 5321 §4.1.3 wants those in brackets.
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) return { problem: 'the domain ends in a number' };
  return { ascii, unicode };
}

/** `xn--` and then what decodes to nothing: readers disagree about what it is. */
function isBrokenLabel(label: string): boolean {
  return label.startsWith('xn--') && /^(?:xn--|$)/.test(domainToUnicode(label));
}

function readLiteral(text: string): MailDomain {
  const inside = /^\[(?:(IPv6:)?([0-9a-fA-F.:]+))\]$/i.exec(text);
  const address = inside?.[2] ?? '';
  const fits = inside?.[1] === undefined ? isIPv4(address) : isIP(address) === 6;
  return fits ? { ascii: text, unicode: text } : { problem: 'the address in brackets is not an IP address' };
}
