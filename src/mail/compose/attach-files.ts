import { basename, resolve } from 'node:path';
import { TendError } from '../../errors.ts';
import { attachmentAllowance } from './attachment-allowance.ts';
import type { MailAttachment } from './mail-attachment.ts';
import { readAttachedFile } from './read-attached-file.ts';

export interface AttachFilesOptions {
  /** `-` for standard input. */
  paths: readonly string[];
  /** What standard input is called. */
  nameOfInput: string | undefined;
  /** `cid=path`: pictures that the html shows. */
  inline: readonly string[];
  /** What they are relative to. */
  cwd: string;
  signal: AbortSignal;
  readStandardInput(): Promise<Buffer>;
}

/**
 * Files that a person names on the command line, as attachments that carry their bytes: whatever that person may read,
 * as it is now, wherever and whenever the message is sent.
 *
 * @throws TendError USAGE, INPUT_MISSING for what cannot be read, MAIL_MESSAGE_INVALID for what is too big.
 */
export async function attachFiles(options: AttachFilesOptions): Promise<MailAttachment[]> {
  const { paths, inline, nameOfInput, cwd, signal } = options;
  const allowance = attachmentAllowance();
  const attached: MailAttachment[] = [];
  const read = async (path: string) =>
    (await readAttachedFile({ file: resolve(cwd, path), name: path, allowance, signal })).toString('base64');
  if (nameOfInput === undefined ? paths.includes('-') : !paths.includes('-')) throw nameless();
  for (const path of paths) {
    if (path !== '-') attached.push({ filename: basename(path), content: await read(path) });
    else if (nameOfInput !== undefined) {
      const bytes = await options.readStandardInput();
      allowance.take(bytes.length, nameOfInput);
      attached.push({ filename: nameOfInput, content: bytes.toString('base64') });
    }
  }
  for (const given of inline) {
    const [, cid, path] = /^([^=]+)=(.+)$/s.exec(given) ?? [];
    if (cid === undefined || path === undefined) throw notInline(given);
    attached.push({ filename: basename(path), content: await read(path), cid });
  }
  return attached;
}

function nameless(): TendError {
  return new TendError('USAGE', 'Standard input as an attachment needs a name, and a name needs it.', {
    hint: '… | tend send-mail --attach - --attach-name report.csv …',
  });
}

function notInline(given: string): TendError {
  return new TendError('USAGE', `"${given}" does not say which picture stands for which cid.`, {
    hint: `tend send-mail --inline logo=logo.png --html '<img src="cid:logo">' …`,
  });
}
