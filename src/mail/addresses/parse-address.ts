import { TendError } from '../../errors.ts';
import { type MailAddress, maskAddress, needsSmtpUtf8 } from './mail-address.ts';
import { readDomain } from './read-domain.ts';

export interface ParseAddressOptions {
  /** Exactly one mailbox: `bob@example.org` or `Bob <bob@example.org>`. */
  text: string;
  /** Where the text stands, for the message: `to[1]`, `--from`, `tend.toml [mail] from`. */
  field: string;
}

/**
 * Reads one mailbox of RFC 5322 with the characters of RFC 6532, strictly: no groups, lists, comments, routes, folding
 * or spaces inside an address. Mail libraries guess (nodemailer reads `b@x\r\nBcc: evil@y` as a group and delivers to
 * evil), so text that came from users is only ever read here.
 *
 * @throws TendError MAIL_ADDRESS_INVALID, permanent.
 */
export function parseAddress({ text, field }: ParseAddressOptions): MailAddress {
  const result = readMailbox(text);
  if (typeof result !== 'string') return result;
  throw new TendError(
    'MAIL_ADDRESS_INVALID',
    `The address ${maskInput(text)} in ${field} cannot be used: ${result}.`,
    {
      hint: 'An address looks like: bob@example.org or "Bob Example <bob@example.org>"; several are given as a list.',
      isPermanent: true,
    },
  );
}

/** RFC 5322 atext, and with RFC 6532 everything beyond ASCII (the invisible is refused before). */
const atext = /[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u{a1}-\u{10ffff}]/u;
/** Controls, line separators and text-direction overrides: nowhere. */
const control = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;
/**
 * Zero-width, unassigned and private characters, fillers and variation selectors, and spaces other than U+0020: not in an
 * address (names need joiners).
 */
const invisible = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u;

/** The mailbox, or why it is none. */
function readMailbox(text: string): MailAddress | string {
  if (text.length > 998) return 'it is longer than 998 characters';
  if (!text.isWellFormed()) return 'it is not valid Unicode';
  if (/[\r\n]/.test(text)) return 'it contains a line break';
  if (control.test(text)) return 'it contains a control character';
  const trimmed = text.trim();
  if (trimmed === '') return 'it is empty';
  const phrase = readPhrase(trimmed);
  if (trimmed[phrase.end] !== '<') {
    return trimmed.includes('<') && phrase.problem !== undefined ? phrase.problem : readAddrSpec(trimmed, '');
  }
  if (phrase.problem !== undefined) return phrase.problem;
  if (!trimmed.endsWith('>'))
    return trimmed.includes('>') ? 'something follows the ">"' : 'the "<" is not closed';
  return readAddrSpec(trimmed.slice(phrase.end + 1, -1), phrase.words.join(' '));
}

/** The words before a `<`. Dots in them are allowed as in `J. Doe`, which RFC 5322 §4.1 asks readers to take. */
function readPhrase(text: string): { words: string[]; end: number; problem?: string } {
  const words: string[] = [];
  let at = 0;
  while (at < text.length && text[at] !== '<') {
    const quoted = text[at] === '"' ? readQuoted(text, at) : undefined;
    if (quoted !== undefined) {
      words.push(quoted.value);
      at = quoted.end;
    } else {
      const word = /^[^ <>()[\]@,:;\\"]+/u.exec(text.slice(at))?.[0];
      if (word === undefined)
        return { words, end: at, problem: 'the display name has a character that must be quoted' };
      words.push(word);
      at += word.length;
    }
    while (text[at] === ' ') at += 1;
  }
  if (words.join(' ').length > 300)
    return { words, end: at, problem: 'the display name is longer than 300 characters' };
  if (/=\?.*\?=/.test(words.join(' '))) {
    return {
      words,
      end: at,
      problem: 'the display name is an encoded word: write the characters themselves',
    };
  }
  return { words, end: at };
}

function readQuoted(text: string, start: number): { value: string; end: number } | undefined {
  const raw = /^"(?:[^"\\]|\\.)*"/u.exec(text.slice(start))?.[0];
  return raw === undefined
    ? undefined
    : { value: raw.slice(1, -1).replace(/\\(.)/gu, '$1'), end: start + raw.length };
}

function readAddrSpec(text: string, name: string): MailAddress | string {
  if (invisible.test(text)) return 'it contains an invisible character';
  const quoted = text.startsWith('"') ? readQuoted(text, 0) : undefined;
  const end = quoted?.end ?? text.indexOf('@');
  if (end < 0) return 'there is no "@"';
  if (text[end] !== '@') return 'the part before the "@" is not valid';
  const local = quoted?.value ?? text.slice(0, end);
  const problem = quoted === undefined ? dotAtomProblem(local) : quotedProblem(local);
  if (problem !== undefined) return problem;
  const written = dotAtomProblem(local) === undefined ? local : `"${local.replace(/["\\]/g, '\\$&')}"`;
  if (Buffer.byteLength(written) > 64) return 'the part before the "@" is longer than 64 bytes';
  const domain = readDomain(text.slice(end + 1));
  if ('problem' in domain) return domain.problem;
  const address = `${written}@${needsSmtpUtf8(local) ? domain.unicode : domain.ascii}`;
  return Buffer.byteLength(address) > 254 ? 'it is longer than 254 bytes' : { name, address };
}

function dotAtomProblem(local: string): string | undefined {
  if (local === '') return 'nothing stands before the "@"';
  // Some readers decode it, and then it has another "@".
  if (/=\?.*\?/.test(local)) return 'the part before the "@" is an encoded word';
  if (/^\.|\.\.|\.$/.test(local)) return 'the part before the "@" begins, ends or doubles a dot';
  for (const character of local) {
    if (character !== '.' && !atext.test(character)) {
      return `the part before the "@" has ${character === ' ' ? 'a space' : `"${character}"`}`;
    }
  }
  return local === local.normalize('NFC') ? undefined : 'the part before the "@" is not in normal form (NFC)';
}

function quotedProblem(local: string): string | undefined {
  if (local === '') return 'nothing stands before the "@"';
  if (/=\?.*\?/.test(local)) return 'the part before the "@" is an encoded word';
  if (/[<>]/.test(local)) return 'the part before the "@" has an angle bracket';
  return local === local.normalize('NFC') ? undefined : 'the part before the "@" is not in normal form (NFC)';
}

/** Shows which address is meant without repeating it: control characters and the person's name stay out of logs. */
function maskInput(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are removed here.
  const masked = maskAddress(text.replace(/[\u0000-\u001f\u007f\p{C}]+/gu, '�'));
  return masked === '…' ? `"${text.length > 0 ? '…' : ''}"` : JSON.stringify(masked.slice(0, 80));
}
