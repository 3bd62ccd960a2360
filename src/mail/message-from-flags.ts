import { TendError } from '../errors.ts';
import { attachFiles } from './attach-files.ts';
import type { MailMessage } from './mail-message.ts';

/** The flags of `send-mail` that make the message. */
export interface MessageFlags {
  to: readonly string[];
  cc: readonly string[];
  bcc: readonly string[];
  from?: string | undefined;
  subject?: string | undefined;
  /** `-` for standard input; the same for `html`. */
  text?: string | undefined;
  html?: string | undefined;
  attach: readonly string[];
}

export interface MessageFromFlagsOptions {
  flags: MessageFlags;
  /** What the files to attach are relative to. */
  cwd: string;
  signal: AbortSignal;
  readStandardInput(): Promise<string>;
}

/**
 * The message a person has typed, with the bytes of the files to attach.
 *
 * @throws TendError USAGE where nobody is to get it, it has no subject, or text and html both want standard input; see `attachFiles`.
 */
export async function messageFromFlags(options: MessageFromFlagsOptions): Promise<MailMessage> {
  const { flags, cwd, signal, readStandardInput } = options;
  if (flags.to.length + flags.cc.length + flags.bcc.length === 0) {
    throw new TendError('USAGE', 'Nobody would get the message.', {
      hint: 'tend send-mail --to bob@example.org …',
    });
  }
  const { subject } = flags;
  if (subject === undefined) {
    throw new TendError('USAGE', 'The message has no subject.', {
      hint: 'tend send-mail --subject TEXT …, or --message FILE for a message with headers of its own.',
    });
  }
  if (flags.text === '-' && flags.html === '-') {
    throw new TendError('USAGE', 'Only one of --text and --html can be read from standard input.');
  }
  const attachments = await attachFiles({ paths: flags.attach, cwd, signal });
  const text = flags.text === '-' ? await readStandardInput() : flags.text;
  const html = flags.html === '-' ? await readStandardInput() : flags.html;
  return {
    to: [...flags.to],
    ...(flags.cc.length === 0 ? {} : { cc: [...flags.cc] }),
    ...(flags.bcc.length === 0 ? {} : { bcc: [...flags.bcc] }),
    ...(flags.from === undefined ? {} : { from: flags.from }),
    subject,
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    ...(attachments.length === 0 ? {} : { attachments }),
  };
}
