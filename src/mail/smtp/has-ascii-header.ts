import { isAscii } from 'node:buffer';

/** Whether a message can go to a server without SMTPUTF8 as far as its header is concerned (RFC 6531 §3.4). */
export function hasAsciiHeader(raw: Buffer): boolean {
  return isAscii(raw) || isAscii(raw.subarray(0, Math.max(raw.indexOf('\r\n\r\n'), 0)));
}
