import { createHash, type KeyObject, verify } from 'node:crypto';

/** Header fields with their folding, and the body, of a message with CRLF line ends; bytes as latin1. */
function take(raw: Buffer): { fields: string[]; body: string } {
  const text = raw.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  return { fields: text.slice(0, end).split(/\r\n(?![ \t])/), body: text.slice(end + 4) };
}

function nameOf(field: string): string {
  return field.slice(0, field.indexOf(':')).toLowerCase();
}

/** RFC 6376 §3.4.2. */
function canonical(field: string): string {
  const value = field.slice(field.indexOf(':') + 1).replace(/\r\n/g, '');
  return `${nameOf(field)}:${value.replace(/[ \t]+/g, ' ').trim()}`;
}

/** RFC 6376 §3.4.4. */
function canonicalBody(body: string): string {
  const tidy = body.replace(/[ \t]+/g, ' ').replace(/ \r\n/g, '\r\n');
  return tidy.replace(/(\r\n)*$/, '').replace(/(.)$/s, '$1\r\n');
}

export interface Verified {
  isValid: boolean;
  tags: Record<string, string>;
}

/** Checks the first DKIM-Signature as RFC 6376 §6.1 says, written from its text and not from what signs. */
export function verifySignature(raw: Buffer, publicKey: KeyObject): Verified {
  const { fields, body } = take(raw);
  const own = fields.find((field) => nameOf(field) === 'dkim-signature') ?? '';
  const list = own
    .slice(own.indexOf(':') + 1)
    .replace(/\s+/g, '')
    .split(';')
    .filter(Boolean);
  const tags = Object.fromEntries(
    list.map((tag) => [tag.slice(0, tag.indexOf('=')), tag.slice(tag.indexOf('=') + 1)]),
  );
  const bodyHash = createHash('sha256').update(canonicalBody(body), 'latin1').digest('base64');
  const left = fields.filter((field) => field !== own);
  const signed = (tags['h'] ?? '').split(':').flatMap((name) => {
    const at = left.findLastIndex((field) => nameOf(field) === name.toLowerCase());
    return at < 0 ? [] : left.splice(at, 1);
  });
  const unsigned = canonical(own.replace(/(;\s*b=)[^;]*/, '$1'));
  const text = Buffer.from([...signed.map(canonical), unsigned].join('\r\n'), 'latin1');
  const signature = Buffer.from(tags['b'] ?? '', 'base64');
  const isSigned =
    tags['a'] === 'ed25519-sha256'
      ? verify(null, createHash('sha256').update(text).digest(), publicKey, signature)
      : verify('sha256', text, publicKey, signature);
  return { isValid: isSigned && bodyHash === tags['bh'], tags };
}
