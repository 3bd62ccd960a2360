import type { HeaderField } from './header-block.ts';

export interface CompletedBody {
  /** Headers that the message lacks; text is bytes as latin1. */
  headers: string[];
  /** Of the message's own headers, those that are not true any more. */
  replaced: string[];
  body: string;
}

/** RFC 5322 §2.1.1: more than 998 characters a line no server need take, and Exim and Microsoft 365 do not. */
const longestLine = 998;

/**
 * Makes the body of a message that a program wrote fit for any server: bytes beyond ASCII are declared, lines that are
 * too long are wrapped by quoted-printable, NULs are left out. A body in parts, or in an encoding, is its program's own
 * business.
 */
export function completeBody({
  fields,
  body,
}: {
  fields: readonly HeaderField[];
  body: string;
}): CompletedBody {
  const valueOf = (wanted: string) => {
    const text = fields.find(({ name }) => name.toLowerCase() === wanted)?.text;
    return text?.slice(text.indexOf(':') + 1).trim();
  };
  const encoding = valueOf('content-transfer-encoding');
  const type = valueOf('content-type') ?? '';
  const isPlain = /^(?:7bit|8bit|binary|)$/i.test(encoding ?? '') && /^(?:text\/|$)/i.test(type);
  if (!isPlain) return { headers: [], replaced: [], body };
  const text = body.replaceAll('\0', '');
  const isBeyondAscii = /[\u0080-\u00ff]/.test(text);
  const isTooLong = text.split('\r\n').some((line) => line.length > longestLine);
  const headers: string[] = [];
  if (isBeyondAscii && type === '') headers.push(`Content-Type: text/plain; charset=${charsetOf(text)}`);
  if (isTooLong) headers.push('Content-Transfer-Encoding: quoted-printable');
  else if (isBeyondAscii && encoding === undefined) headers.push('Content-Transfer-Encoding: 8bit');
  if (headers.length > 0 && valueOf('mime-version') === undefined) headers.unshift('MIME-Version: 1.0');
  return {
    headers,
    replaced: isTooLong ? ['content-transfer-encoding'] : [],
    body: isTooLong ? quotedPrintable(text) : text,
  };
}

function charsetOf(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8').includes('\ufffd') ? 'unknown-8bit' : 'utf-8';
}

/** RFC 2045 §6.7. */
function quotedPrintable(text: string): string {
  return text
    .split('\r\n')
    .map((line) => {
      const encoded = line.replace(/[^ -<>-~\t]|[ \t]$/g, (byte) => {
        const hex = byte.charCodeAt(0).toString(16).toUpperCase();
        return `=${hex.padStart(2, '0')}`;
      });
      return breakLine(encoded.match(/=[0-9A-F]{2}|./g) ?? []);
    })
    .join('\r\n');
}

/** Soft line breaks, none within "=C3": lines of 76 with the "=" at their end. */
function breakLine(pieces: readonly string[]): string {
  const lines = [''];
  for (const piece of pieces) {
    if ((lines.at(-1)?.length ?? 0) + piece.length > 75) lines.push('');
    lines[lines.length - 1] += piece;
  }
  return lines.join('=\r\n');
}
