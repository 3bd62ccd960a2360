const lineLength = 76;
const hex = '0123456789ABCDEF';
const cr = 0x0d;
const lf = 0x0a;
const space = 0x20;
const tab = 0x09;
const equals = 0x3d;
const dot = 0x2e;

/**
 * Text in UTF-8 with CRLF line ends as quoted-printable (RFC 2045 §6.7): ASCII in lines of at most 76 bytes. A blank at
 * the end of a line is encoded, since relays may strip it, and so is a dot that would stand alone, whatever the relay does
 * about those.
 *
 * @param options.isPlain `text` is printable ASCII, tabs and line ends: then what stands as it is is copied in pieces.
 */
export function encodeQuotedPrintable(text: Buffer, { isPlain = false } = {}): Buffer {
  // At worst every byte is three, and each 73 of them a soft line break of three.
  const out = Buffer.allocUnsafe(text.length * 3 + Math.ceil((text.length * 3) / 70) * 3 + 3);
  let at = 0;
  let column = 0;
  const makeRoom = (wanted: number) => {
    // The last column of a line is for the "=" that continues it.
    if (column + wanted < lineLength) return;
    out[at] = equals;
    out[at + 1] = cr;
    out[at + 2] = lf;
    at += 3;
    column = 0;
  };
  /** Up to here nothing is to be encoded: not the last of a line, which may be a blank or a dot. */
  let plainEnd = 0;
  let nextEquals = -1;
  let lineEnd = -1;
  const findPlainEnd = (from: number) => {
    if (nextEquals < from) nextEquals = indexOrEnd(text, equals, from);
    if (lineEnd < from) lineEnd = indexOrEnd(text, cr, from);
    return Math.min(nextEquals, lineEnd - 1);
  };
  for (let index = 0; index < text.length; index += 1) {
    if (isPlain && index >= plainEnd) plainEnd = findPlainEnd(index);
    while (index < plainEnd) {
      makeRoom(1);
      const piece = Math.min(plainEnd - index, lineLength - 1 - column);
      text.copy(out, at, index, index + piece);
      index += piece;
      at += piece;
      column += piece;
    }
    // Never undefined: the index is inside.
    const byte = text[index] as number;
    if (byte === cr && text[index + 1] === lf) {
      out[at] = cr;
      out[at + 1] = lf;
      at += 2;
      index += 1;
      column = 0;
      continue;
    }
    const isLast = index + 1 === text.length || text[index + 1] === cr;
    if (mustEncode(byte, isLast, column)) {
      makeRoom(3);
      out[at] = equals;
      out[at + 1] = hex.charCodeAt(byte >> 4);
      out[at + 2] = hex.charCodeAt(byte & 15);
      at += 3;
      column += 3;
    } else {
      makeRoom(1);
      out[at] = byte;
      at += 1;
      column += 1;
    }
  }
  return out.subarray(0, at);
}

function indexOrEnd(text: Buffer, byte: number, from: number): number {
  const index = text.indexOf(byte, from);
  return index === -1 ? text.length : index;
}

function mustEncode(byte: number, isLast: boolean, column: number): boolean {
  if (byte === space || byte === tab) return isLast;
  if (byte === dot) return isLast && column === 0;
  return byte < 0x21 || byte > 0x7e || byte === equals;
}
