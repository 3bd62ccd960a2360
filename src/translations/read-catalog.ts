import { type Buffer, isAscii, isUtf8 } from 'node:buffer';
import { type ByteText, bytesToByteText, decodeByteText } from './byte-text.ts';
import { charsetName } from './catalog-header.ts';
import { type Charset, checkStringBytes, findCharset, toUtf8 } from './charsets.ts';
import type { Finding } from './findings.ts';
import { joinLines } from './join-lines.ts';
import { isHeader, type PoMessage } from './po-message.ts';
import { PoReader } from './po-reader.ts';

/** A .po file as read, with everything that is wrong with its bytes and its grammar. */
export interface ReadCatalog {
  /** The file in UTF-8. */
  source: ByteText;
  /** Where in `source` the offset of a message or a finding is. */
  toFileOffset: (offset: number) => number;
  messages: PoMessage[];
  findings: Finding[];
  /** Messages with a fault inside one of their strings: without them the rest is good. */
  badMessages: Set<PoMessage>;
}

/** Reading stops here: a file with so many faults is no .po file. */
const maxFindings = 100;

/**
 * Reads a whole .po file. Nothing is repaired: whatever is not understood is a finding, and no input makes it throw.
 */
export function readCatalog(bytes: Buffer): ReadCatalog {
  const raw = bytesToByteText(bytes);
  const problem = foreignEncoding(raw);
  if (problem !== undefined) return unread(raw, problem);
  const isPlain = isAscii(bytes);
  const name = peekCharsetName(raw, bytes);
  const charset = name === undefined ? undefined : findCharset(name);
  const source = charset === undefined || isPlain ? raw : toUtf8(bytes, charset);
  // A charset that nobody knows is reported once, as a fault of the header.
  const isUnknown = name !== undefined && charset === undefined;
  const isTrusted = isPlain || isUnknown || (charset?.kind === 'utf-8' && isUtf8(bytes));
  const { text, toFileOffset } = joinLines(source);
  const textBytes = text === raw ? bytes : undefined;
  return { source, toFileOffset, ...readMessages({ source: text, bytes: textBytes, charset, isTrusted }) };
}

function readMessages(options: {
  source: ByteText;
  /** The same, where it is at hand. */
  bytes: Buffer | undefined;
  charset: Charset | undefined;
  isTrusted: boolean;
}) {
  const { source, bytes, charset, isTrusted } = options;
  const findings: Finding[] = [];
  let isMissingCharsetReported = false;
  const reader = new PoReader({
    source,
    bytes,
    report(offset, text, isDroppable) {
      findings.push({
        offset,
        severity: 'error',
        text,
        isDroppable: isDroppable && !isMissingCharsetReported,
      });
    },
    checkString(value, hasByteEscape) {
      if ((isTrusted && !hasByteEscape) || isMissingCharsetReported) return undefined;
      const problem = checkStringBytes(charset, value, hasByteEscape);
      isMissingCharsetReported = problem !== undefined && charset === undefined;
      return problem;
    },
  });
  const messages: PoMessage[] = [];
  const badMessages = new Set<PoMessage>();
  let known = 0;
  for (let message = reader.next(); message !== undefined; message = reader.next()) {
    messages.push(message);
    if (findings.length > known) badMessages.add(message);
    known = findings.length;
    if (known >= maxFindings) break;
  }
  if (messages.length === 0 && findings.length === 0) {
    const text = 'the file has no entries: is it the right one?';
    findings.push({ offset: 0, severity: 'warning', text, isDroppable: false });
  }
  return { messages, findings, badMessages };
}

/** The charset that the header entry names. */
function peekCharsetName(raw: ByteText, bytes: Buffer): string | undefined {
  const { text } = joinLines(raw);
  const reader = new PoReader({ source: text, bytes: text === raw ? bytes : undefined, report() {} });
  for (let message = reader.next(); message !== undefined; message = reader.next()) {
    if (message.isObsolete || !isHeader(message)) continue;
    const name = charsetName(message.translations[0] ?? '');
    return name === undefined ? undefined : decodeByteText(name);
  }
  return undefined;
}

function unread(source: ByteText, text: string): ReadCatalog {
  const findings: Finding[] = [{ offset: 0, severity: 'error', text, isDroppable: false }];
  return { source, toFileOffset: (offset) => offset, messages: [], findings, badMessages: new Set() };
}

/** What makes the bytes be something else than lines of ASCII and a charset above it, or undefined. */
function foreignEncoding(raw: ByteText): string | undefined {
  const mark = ['\xef\xbb\xbf', '\xff\xfe', '\xfe\xff'].find((bytes) => raw.startsWith(bytes));
  if (mark !== undefined) {
    const encoding = mark.length === 3 ? 'UTF-8 with' : 'UTF-16 with';
    return `the file begins with a byte-order mark: save it as UTF-8 without one (it is ${encoding} one now)`;
  }
  if (/^(?:(?:\0[\x01-\x7f]){4}|(?:[\x01-\x7f]\0){4})/.test(raw))
    return 'the file looks like UTF-16: save it as UTF-8';
  // A comment would reach to the end of the file, and what follows it would be lost without a word.
  return raw.includes('\r') && !raw.includes('\n')
    ? 'the lines end with CR alone: save the file with LF (Unix) line ends'
    : undefined;
}
