import type { HeaderField } from './header-block.ts';

/** Headers whose value has a grammar: only words of it may be encoded, never an address. */
const structured =
  /^(?:resent-)?(?:from|sender|to|cc|reply-to|date|message-id)$|^(?:in-reply-to|references|mime-version|return-path|dkim-signature|content-(?:type|transfer-encoding|disposition|id)|list-.*)$/i;

const beyondAscii = /[\u0080-\uffff]/;

/**
 * A header that a program wrote in raw bytes beyond ASCII (PHP's `mail()`, shell scripts), as RFC 2047 wants it: without
 * SMTPUTF8 no server need take such a header. Bytes that are no UTF-8 are sent under the charset `unknown-8bit` (RFC 1428).
 * What is ASCII stays as it is, folding included; so does an address beyond ASCII, which needs SMTPUTF8 in any case.
 */
export function encodeHeader(field: HeaderField): string {
  if (!beyondAscii.test(field.text)) return field.text;
  const value = unfoldBytes(field.text);
  return `${field.name}: ${structured.test(field.name) ? encodePhrases(value) : encodeWords(value)}`;
}

/** Quoted strings, words with the spaces between them, and single characters. */
const token = /"(?:[^"\\]|\\.)*"|[^\s<>()",;:@[\]]+(?: +[^\s<>()",;:@[\]]+)*|[\s\S]/g;

/** Encodes display names and comments: whatever touches no "@". */
function encodePhrases(value: string): string {
  const tokens = value.match(token) ?? [];
  return tokens
    .map((text, at) => {
      const isOfAddress = tokens[at - 1] === '@' || tokens[at + 1] === '@';
      if (isOfAddress || !beyondAscii.test(text)) return text;
      return encodeWords(text.replace(/^"([\s\S]*)"$/, '$1').replace(/\\(.)/g, '$1'));
    })
    .join('');
}

/** Encoded words of at most 75 characters, a line each; `bytes` is latin1. */
export function encodeWords(bytes: string): string {
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  const isUtf8 = !text.includes('\ufffd');
  const charset = isUtf8 ? 'UTF-8' : 'unknown-8bit';
  const chunks: string[] = [];
  let chunk = '';
  for (const character of isUtf8 ? text : bytes) {
    const raw = isUtf8 ? Buffer.from(character).toString('latin1') : character;
    if (chunk.length + raw.length > 42) {
      chunks.push(chunk);
      chunk = '';
    }
    chunk += raw;
  }
  chunks.push(chunk);
  return chunks
    .map((part) => `=?${charset}?B?${Buffer.from(part, 'latin1').toString('base64')}?=`)
    .join('\r\n ');
}

/** As `unfold`, still in bytes. */
function unfoldBytes(text: string): string {
  return text
    .slice(text.indexOf(':') + 1)
    .replace(/\r\n[ \t]+|\t/g, ' ')
    .trim();
}
