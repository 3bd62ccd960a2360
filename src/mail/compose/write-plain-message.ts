import { encodeQuotedPrintable } from './quoted-printable.ts';
import type { WriteMessageOptions } from './write-message.ts';

/**
 * A message of text and nothing else, as MailComposer would write it but for the streams it goes through, which cost
 * more than all the rest of composing: drains of thousands are mostly such messages.
 */
export async function writePlainMessage(options: WriteMessageOptions): Promise<Buffer> {
  headerWriter ??= openHeaderWriter();
  const { encoder, foldLines } = await headerWriter;
  const { encoding, body } = encodeText(options.text ?? '');
  const { to, cc, replyTo } = options;
  const fields: [string, Parameters<typeof encoder.encodeHeaderValue>[1]][] = [
    ...Object.entries(options.headers),
    ['From', options.from],
    ...(to.length === 0 ? [] : [['To', [...to]] satisfies [string, unknown]]),
    ...(cc.length === 0 ? [] : [['Cc', [...cc]] satisfies [string, unknown]]),
    ...(replyTo === undefined ? [] : [['Reply-To', replyTo] satisfies [string, unknown]]),
    ['Subject', options.subject],
    ['Message-ID', options.messageId],
    ['Date', options.date.toUTCString().replace('GMT', '+0000')],
    ['MIME-Version', '1.0'],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Transfer-Encoding', encoding],
  ];
  const lines: string[] = [];
  for (const [name, value] of fields) {
    const encoded = encoder.encodeHeaderValue(name, value);
    if (encoded.trim() !== '') lines.push(foldLines(`${name}: ${encoded}`, 76));
  }
  // Beyond ASCII only before the "@" of an address that needs SMTPUTF8.
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]);
}

/** For all messages: to ask for a module takes longer than to write a header. */
let headerWriter: ReturnType<typeof openHeaderWriter> | undefined;

async function openHeaderWriter() {
  const [{ default: MimeNode }, { foldLines }] = await Promise.all([
    import('nodemailer/lib/mime-node'),
    import('nodemailer/lib/mime-funcs'),
  ]);
  // Without a boundary it would draw one.
  return { encoder: new MimeNode(false, { baseBoundary: 'unused' }), foldLines };
}

interface EncodedText {
  encoding: '7bit' | 'quoted-printable' | 'base64';
  /** With a line end at its end. */
  body: Buffer;
}

/** As it is where that is plain. Else text of a Latin script stays readable, and other is shorter in base64. */
function encodeText(text: string): EncodedText {
  const ended = text.endsWith('\r\n') ? text : `${text}\r\n`;
  const isPlain = /^[\t\r\n -~]*$/.test(ended);
  if (isPlain && !/^[^\r\n]{77}/m.test(ended)) {
    return { encoding: '7bit', body: Buffer.from(ended, 'latin1') };
  }
  const bytes = Buffer.from(ended);
  if (isPlain || isMostlyLatin(ended))
    return { encoding: 'quoted-printable', body: encodeQuotedPrintable(bytes, { isPlain }) };
  const base64 = bytes.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n');
  return { encoding: 'base64', body: Buffer.from(`${base64}\r\n`, 'latin1') };
}

function isMostlyLatin(text: string): boolean {
  let latin = 0;
  let other = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index) | 0x20;
    if (code > 0x7f) other += 1;
    else if (code >= 0x61 && code <= 0x7a) latin += 1;
  }
  return latin >= other;
}
