import { Buffer } from 'node:buffer';

/**
 * Bytes in a string: each character is one byte (0–255). Catalogs are read, compared, sorted and written in this
 * form, because V8 keeps such strings at one byte a character, finds and slices in them quickly, and compares them
 * in exactly the byte order that .mo files need. Only messages for people are decoded.
 */
export type ByteText = string;

export function bytesToByteText(bytes: Buffer): ByteText {
  return bytes.toString('latin1');
}

/** The characters that UTF-8 bytes stand for; bytes that are not UTF-8 become U+FFFD. */
export function decodeByteText(text: ByteText): string {
  return isAsciiText(text) ? text : Buffer.from(text, 'latin1').toString('utf8');
}

export function isAsciiText(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}
