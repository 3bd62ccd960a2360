import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { getDotPath, safeParse } from 'valibot';
import { TendError, toError } from '../../errors.ts';
import { attachFiles } from './attach-files.ts';
import { type MailMessage, mailMessageSchema } from './mail-message.ts';

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
  /** `-` for standard input, which is then called `attach-name`. */
  attach: readonly string[];
  'attach-name'?: string | undefined;
  /** `cid=path` */
  inline: readonly string[];
  template?: string | undefined;
  /** JSON, `@file`, or `@-` for standard input. */
  data?: string | undefined;
  locale?: string | undefined;
  importance?: string | undefined;
}

export interface MessageFromFlagsOptions {
  flags: MessageFlags;
  /** What files are relative to. */
  cwd: string;
  /** Not sent later. */
  expiresAt?: Date | undefined;
  signal: AbortSignal;
  readStandardInput(): Promise<Buffer>;
}

/**
 * The message a person has typed, with the bytes of the files to attach.
 *
 * @throws TendError USAGE where nobody is to get it, it has no subject, or two flags both want standard input;
 * MAIL_MESSAGE_INVALID for what the payload's schema refuses; see `attachFiles`.
 */
export async function messageFromFlags(options: MessageFromFlagsOptions): Promise<MailMessage> {
  const { flags, cwd, expiresAt, signal, readStandardInput } = options;
  if (flags.to.length + flags.cc.length + flags.bcc.length === 0) {
    throw new TendError('USAGE', 'Nobody would get the message.', {
      hint: 'tend send-mail --to bob@example.org …',
    });
  }
  if (flags.subject === undefined && flags.template === undefined) {
    throw new TendError('USAGE', 'The message has no subject.', {
      hint: 'tend send-mail --subject TEXT …, or --message FILE for a message with headers of its own.',
    });
  }
  refuseSharedInput(flags);
  const attachments = await attachFiles({
    ...{ paths: flags.attach, nameOfInput: flags['attach-name'], inline: flags.inline },
    ...{ cwd, signal, readStandardInput },
  });
  const read = async (text: string | undefined) =>
    text === '-' ? (await readStandardInput()).toString() : text;
  const { from, subject, template, locale, importance } = flags;
  return checked({
    to: [...flags.to],
    cc: flags.cc.length === 0 ? undefined : [...flags.cc],
    bcc: flags.bcc.length === 0 ? undefined : [...flags.bcc],
    ...{ from, subject, template, locale, importance },
    text: await read(flags.text),
    html: await read(flags.html),
    data: flags.data === undefined ? undefined : await readData(options, flags.data),
    attachments: attachments.length === 0 ? undefined : attachments,
    expiresAt: expiresAt?.toISOString(),
  });
}

function refuseSharedInput({ text, html, attach, data }: MessageFlags): void {
  const readers = [
    ...(text === '-' ? ['--text'] : []),
    ...(html === '-' ? ['--html'] : []),
    ...attach.filter((path) => path === '-').map(() => '--attach'),
    ...(data === '@-' ? ['--data'] : []),
  ];
  if (readers.length < 2) return;
  throw new TendError('USAGE', `Only one of ${readers.join(' and ')} can be read from standard input.`);
}

/** As the queue would check it, while the person who typed it is still there. */
function checked(given: Record<string, unknown>): MailMessage {
  const message = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const parsed = safeParse(mailMessageSchema, message);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = getDotPath(issue) ?? '';
  const code = /^(to|cc|bcc|from)\b/.test(path) ? 'MAIL_ADDRESS_INVALID' : 'MAIL_MESSAGE_INVALID';
  throw new TendError(code, `The message is not valid: ${path}: ${issue.message}.`);
}

async function readData(
  { cwd, readStandardInput }: MessageFromFlagsOptions,
  given: string,
): Promise<unknown> {
  const source = given.startsWith('@') ? await readDataFile(given.slice(1), cwd, readStandardInput) : given;
  try {
    return JSON.parse(source);
  } catch (cause) {
    throw new TendError('USAGE', `What --data gives is not JSON: ${toError(cause).message}.`, {
      cause,
      hint: `tend send-mail --template welcome --data '{"name": "Ann"}' …`,
    });
  }
}

async function readDataFile(
  path: string,
  cwd: string,
  readStandardInput: () => Promise<Buffer>,
): Promise<string> {
  if (path === '-') return (await readStandardInput()).toString();
  try {
    return await readFile(resolve(cwd, path), 'utf8');
  } catch (cause) {
    throw new TendError('INPUT_MISSING', `The data "${path}" cannot be read: ${toError(cause).message}.`, {
      cause,
    });
  }
}
