const cr = 0x0d;
const lf = 0x0a;
const dot = 0x2e;

/**
 * A message as it stands between DATA and its end (RFC 5321 §4.5.2): lines ended by CRLF and nothing else, a dot before each
 * line that begins with one, and a line end at its end. A lone CR or LF becomes CRLF: a server that took it for a line end
 * could see the end of the message where we see none (SMTP smuggling). Most messages are that already, and come back as
 * they are.
 */
export function toMailData(raw: Buffer): Buffer {
  if (isMailData(raw)) return raw;
  const even = raw
    .toString('latin1')
    .replace(/\r\n|\r|\n/g, '\r\n')
    .replace(/(^|\n)\./g, '$1..');
  return Buffer.from(even === '' || even.endsWith('\n') ? even : `${even}\r\n`, 'latin1');
}

function isMailData(raw: Buffer): boolean {
  if (raw.length === 0) return true;
  if (raw[0] === dot || raw.at(-1) !== lf) return false;
  let lines = 0;
  for (let at = raw.indexOf(lf); at >= 0; at = raw.indexOf(lf, at + 1)) {
    if (raw[at - 1] !== cr || raw[at + 1] === dot) return false;
    lines += 1;
  }
  // As many CRs as line ends: none stands alone.
  for (let at = raw.indexOf(cr); at >= 0; at = raw.indexOf(cr, at + 1)) lines -= 1;
  return lines === 0;
}
