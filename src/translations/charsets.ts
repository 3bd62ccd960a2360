import { Buffer, isUtf8 } from 'node:buffer';
import { type ByteText, bytesToByteText, isAsciiText } from './byte-text.ts';

/** How the bytes of a .po file become UTF-8. */
export type Charset =
  | { kind: 'utf-8' | 'ascii' }
  | { kind: 'other'; name: string; decode: (bytes: Buffer) => string };

/**
 * The names that GNU gettext takes as portable, with the label by which TextDecoder knows the same charset. Missing
 * ones (KOI8-T, CP850, EUC-TW, JOHAB, VISCII, GEORGIAN-PS) have no decoder in Node.js. ISO-8859-10 and -16 are more.
 */
const labels: Readonly<Record<string, string>> = {
  'ISO-8859-2': 'iso-8859-2',
  'ISO-8859-3': 'iso-8859-3',
  'ISO-8859-4': 'iso-8859-4',
  'ISO-8859-5': 'iso-8859-5',
  'ISO-8859-6': 'iso-8859-6',
  'ISO-8859-7': 'iso-8859-7',
  'ISO-8859-8': 'iso-8859-8',
  'ISO-8859-9': 'windows-1254',
  'ISO-8859-10': 'iso-8859-10',
  'ISO-8859-13': 'iso-8859-13',
  'ISO-8859-14': 'iso-8859-14',
  'ISO-8859-15': 'iso-8859-15',
  'ISO-8859-16': 'iso-8859-16',
  'KOI8-R': 'koi8-r',
  'KOI8-U': 'koi8-u',
  CP866: 'ibm866',
  CP874: 'windows-874',
  CP932: 'shift_jis',
  CP949: 'euc-kr',
  CP950: 'big5',
  CP1250: 'windows-1250',
  CP1251: 'windows-1251',
  CP1252: 'windows-1252',
  CP1253: 'windows-1253',
  CP1254: 'windows-1254',
  CP1255: 'windows-1255',
  CP1256: 'windows-1256',
  CP1257: 'windows-1257',
  CP1258: 'windows-1258',
  GB2312: 'gbk',
  GBK: 'gbk',
  GB18030: 'gb18030',
  'EUC-JP': 'euc-jp',
  'EUC-KR': 'euc-kr',
  SHIFT_JIS: 'shift_jis',
  BIG5: 'big5',
  'BIG5-HKSCS': 'big5',
  'TIS-620': 'windows-874',
};

/** The charset of this name (in any case), or undefined when it cannot be read. */
export function findCharset(name: string): Charset | undefined {
  const upper = name.toUpperCase();
  if (upper === 'UTF-8' || upper === 'UTF8') return { kind: 'utf-8' };
  if (['ASCII', 'US-ASCII', 'ANSI_X3.4-1968'].includes(upper)) return { kind: 'ascii' };
  const canonical = upper.replace(/^ISO_8859-/, 'ISO-8859-').replace(/^WINDOWS-/, 'CP');
  if (canonical === 'ISO-8859-1') return { kind: 'other', name, decode: (bytes) => bytes.toString('latin1') };
  const label = labels[canonical];
  if (label === undefined) return undefined;
  return { kind: 'other', name, decode: (bytes) => new TextDecoder(label).decode(bytes) };
}

/**
 * The bytes of the file as UTF-8. What the charset does not define becomes U+FFFD, which is an error where it stands
 * in a string and harmless in a comment.
 */
export function toUtf8(bytes: Buffer, charset: Charset): ByteText {
  if (charset.kind !== 'other') return bytesToByteText(bytes);
  return bytesToByteText(Buffer.from(charset.decode(bytes), 'utf8'));
}

const replacement = '\xef\xbf\xbd';

/** What is wrong with the bytes of one string of a catalog in this charset, or undefined. */
export function checkStringBytes(
  charset: Charset | undefined,
  value: ByteText,
  hasByteEscape: boolean,
): string | undefined {
  const kind = charset?.kind;
  if (kind === 'other') {
    if (hasByteEscape) return 'an escape stands for a byte over \\x7f: write the character itself';
    return value.includes(replacement)
      ? `the string holds bytes that are not ${charsetName(charset)}, the charset of the header`
      : undefined;
  }
  if (isAsciiText(value)) return undefined;
  if (kind === 'utf-8') {
    return isUtf8(Buffer.from(value, 'latin1'))
      ? undefined
      : 'the string holds bytes that are not UTF-8, the charset of the header: save the file as UTF-8';
  }
  return kind === 'ascii'
    ? 'the string holds bytes that are not ASCII, the charset of the header: save the file as UTF-8 and write charset=UTF-8'
    : 'the string is not ASCII, and no header entry names a charset: add "Content-Type: text/plain; charset=UTF-8\\n"';
}

function charsetName(charset: Charset | undefined): string {
  return charset?.kind === 'other' ? charset.name : 'valid';
}
