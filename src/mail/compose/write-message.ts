import type { MailAddress } from '../addresses/mail-address.ts';
import type { ReadAttachment } from './read-attachments.ts';
import { writePlainMessage } from './write-plain-message.ts';

export interface WriteMessageOptions {
  from: MailAddress;
  replyTo: MailAddress | undefined;
  to: readonly MailAddress[];
  cc: readonly MailAddress[];
  subject: string;
  text: string | undefined;
  html: string | undefined;
  attachments: readonly ReadAttachment[];
  /** Checked: no line break, none that the message itself writes. */
  headers: Readonly<Record<string, string>>;
  messageId: string;
  /** What the boundaries are made of. */
  boundary: string;
  date: Date;
}

/**
 * The bytes of a message, every line ended by CRLF and none longer than 998 bytes. Nothing is drawn here: the same options
 * make the same bytes. Bodies are encoded where they are not ASCII in short lines, so that no relay has to do it and
 * break a signature.
 */
export async function writeMessage(options: WriteMessageOptions): Promise<Buffer> {
  const { text, html } = options;
  const even = {
    ...options,
    text: text === undefined ? undefined : evenLineEnds(text),
    html: html === undefined ? undefined : evenLineEnds(html),
  };
  if (html === undefined && options.attachments.length === 0) return await writePlainMessage(even);
  return await writeWithParts(even);
}

/** CRLF, whatever the text had: what is stored and signed is what leaves. A NUL, which no server takes, goes. */
function evenLineEnds(text: string): string {
  return text.replace(/\r\n|\r|\n/g, '\r\n').replaceAll('\0', '');
}

async function writeWithParts(options: WriteMessageOptions): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  const { from, replyTo, to, cc, subject, text, html } = options;
  const composer = new MailComposer({
    from,
    to: [...to],
    cc: [...cc],
    ...(replyTo === undefined ? {} : { replyTo }),
    subject,
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    headers: { ...options.headers },
    attachments: [...options.attachments],
    messageId: options.messageId,
    date: options.date,
    baseBoundary: options.boundary,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return await composer.compile().build();
}
