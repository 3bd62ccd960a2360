import { createHash, sign } from 'node:crypto';
import { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { splitMessage } from '../compose/header-block.ts';
import { relaxedBody, relaxedHeader } from './canonical-form.ts';
import { type DkimKey, readDkimKey } from './read-dkim-key.ts';
import { signedFields } from './signed-fields.ts';

/** `[mail.dkim]`; the file is absolute. */
export interface DkimSettings {
  domain: string;
  selector: string;
  keyFile: string;
}

export interface SignMessageOptions {
  /** A message with CRLF line ends, as it is to leave. */
  raw: Buffer;
  /** Domain of the header From, in A-labels. */
  fromDomain: string;
  /** Nothing is signed without. */
  dkim: DkimSettings | undefined;
  /** Whether it is `[mail] from` that the message is from: then the two settings contradict each other. */
  isDefaultFrom: boolean;
  date: Date;
  log: Log;
}

/**
 * Puts a DKIM-Signature (RFC 6376, relaxed/relaxed) before a message. One from a domain that the key does not speak for
 * goes unsigned, with a warning: receivers count a signature only where its domain is that of From or above it (RFC 7489
 * §3.1.1).
 *
 * @throws TendError MAIL_NOT_CONFIGURED for a key that cannot be used, and where `[mail] from` is of another domain.
 */
export async function signMessage(options: SignMessageOptions): Promise<Buffer> {
  const { raw, fromDomain, dkim, log } = options;
  if (dkim === undefined) return raw;
  if (fromDomain !== dkim.domain && !fromDomain.endsWith(`.${dkim.domain}`)) {
    if (options.isDefaultFrom) throw contradiction(fromDomain, dkim.domain);
    log.warn(`A message from ${fromDomain} was not signed: [mail.dkim] signs for ${dkim.domain}.`);
    return raw;
  }
  const key = await readDkimKey(dkim.keyFile);
  return Buffer.concat([Buffer.from(signatureOf({ raw, dkim, key, date: options.date }), 'latin1'), raw]);
}

interface SignatureOptions {
  raw: Buffer;
  dkim: DkimSettings;
  key: DkimKey;
  date: Date;
}

/** The header field with its line end. */
function signatureOf({ raw, dkim, key, date }: SignatureOptions): string {
  const end = raw.indexOf('\r\n\r\n');
  const header = splitMessage(raw.toString('latin1', 0, end)).fields;
  const { names, fields } = signedFields(header);
  const bodyHash = createHash('sha256').update(relaxedBody(raw.toString('latin1', end + 4)), 'latin1');
  const unsigned = [
    `DKIM-Signature: v=1; a=${key.algorithm}; c=relaxed/relaxed; d=${dkim.domain};`,
    ` s=${dkim.selector}; t=${Math.floor(date.getTime() / 1000)};`,
    ` bh=${bodyHash.digest('base64')};`,
    ` h=${foldNames(names)};`,
    ' b=',
  ].join('\r\n');
  const signed = [...fields, { name: 'DKIM-Signature', text: unsigned }].map(relaxedHeader).join('\r\n');
  const signature = signText(Buffer.from(signed, 'latin1'), key);
  return `${unsigned}${signature.replace(/.{72}(?=.)/g, '$&\r\n ')}\r\n`;
}

/** Ed25519 signs the hash of the text (RFC 8463 §3). */
function signText(text: Buffer, { algorithm, key }: DkimKey): string {
  if (algorithm === 'rsa-sha256') return sign('sha256', text, key).toString('base64');
  return sign(null, createHash('sha256').update(text).digest(), key).toString('base64');
}

function foldNames(names: readonly string[]): string {
  const lines = [''];
  for (const [index, name] of names.entries()) {
    const piece = index === 0 ? name : `:${name}`;
    const last = lines.pop() ?? '';
    if (last.length + piece.length <= 70) lines.push(last + piece);
    else lines.push(last, piece);
  }
  return lines.join('\r\n  ');
}

function contradiction(fromDomain: string, domain: string): TendError {
  return new TendError(
    'MAIL_NOT_CONFIGURED',
    `tend.toml [mail] from is of ${fromDomain}, and [mail.dkim] signs for ${domain}: no receiver would count that signature.`,
    { hint: `Make both the same: [mail.dkim] domain = "${fromDomain}".` },
  );
}
