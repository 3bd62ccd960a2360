import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeQuotedPrintable } from '../../../src/mail/compose/quoted-printable.ts';

const encode = (text: string, isPlain: boolean) =>
  encodeQuotedPrintable(Buffer.from(text), { isPlain }).toString('latin1');

/** As RFC 2045 §6.7 has it read. */
function decode(encoded: string): string {
  const bytes = encoded
    .replaceAll('=\r\n', '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('=', ' ', '.', '\t', '\r\n') },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 160 }) },
);
const plainText = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

describe('text as quoted-printable', () => {
  it('is read back as it was, in lines of at most 76 bytes without a blank or a lone dot at their end', () => {
    fc.assert(
      fc.property(fc.oneof(plainText, fc.string({ unit: 'binary' })), (text) => {
        const encoded = encode(text, false);
        expect(decode(encoded)).toBe(text);
        for (const line of encoded.split('\r\n')) {
          expect(line.length).toBeLessThanOrEqual(76);
          expect(line).not.toMatch(/[ \t]$|^\.$/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is the same where it is known to be plain, and copied in pieces', () => {
    fc.assert(
      fc.property(plainText, (text) => {
        expect(encode(text, true)).toBe(encode(text, false));
      }),
      { numRuns: 1000 },
    );
  });

  it('of a megabyte of equals signs in one line takes no longer than any other', () => {
    expect(encode('='.repeat(1_000_000), true)).toHaveLength(1_000_000 * 3 + 3 * 39_999);
  });
});
