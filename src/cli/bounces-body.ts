import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Kysely } from 'kysely';
import { requireOwnDatabase } from '../database/require-own-database.ts';
import { requireSchema } from '../database/require-schema.ts';
import type { Database } from '../database/tables.ts';
import { TendError, toError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { maskAddress } from '../mail/addresses/mail-address.ts';
import { type ProcessedFile, processMaildir } from '../mail/bounces/process-maildir.ts';
import { type ProcessedReport, processReport } from '../mail/bounces/process-report.ts';
import type { CommandBody, CommandContext, CommandOutcome } from './command-context.ts';
import type { Output } from './output.ts';

export interface BouncesOptions {
  /** `-`: one message on standard input. Default: `[mail] bounces`. */
  maildir: string | undefined;
  stdin: Readable;
}

/** The body of `send-mail bounces`. */
export function bouncesBody({ maildir, stdin }: BouncesOptions): CommandBody {
  return async (context) => {
    if (maildir === '-') return await fromPipe(context, stdin);
    const directory = findDirectory(context, maildir);
    const { signal } = context;
    return report(await processMaildir({ db: await openOwnDatabase(context), directory, signal }));
  };
}

function findDirectory({ config, baseDirectory, cwd }: CommandContext, maildir: string | undefined): string {
  if (maildir !== undefined) return resolve(cwd, maildir);
  if (config.mail.bounces !== undefined) return resolve(baseDirectory, config.mail.bounces);
  throw new TendError(
    'MAIL_NOT_CONFIGURED',
    'No Maildir to read bounces from is configured: [mail] bounces is missing.',
    {
      hint: '[mail] bounces = "/var/mail/bounces" in tend.toml, or tend send-mail bounces --maildir DIR',
    },
  );
}

/** A copy must not take the bounces away from the original. */
async function openOwnDatabase(context: CommandContext): Promise<Kysely<Database>> {
  const db = await context.openDatabase();
  await requireSchema(db);
  await requireOwnDatabase(db);
  return db;
}

/**
 * Called by a mail server: what is no fault of the message must not make it give the message up, and all but 75 does
 * (Postfix and Exim bounce at 69, 70, 77 and 78).
 */
async function fromPipe(context: CommandContext, stdin: Readable): Promise<CommandOutcome> {
  const raw = await buffer(stdin);
  let processed: ProcessedReport;
  try {
    if (context.configError !== undefined) throw context.configError;
    processed = await processReport({ db: await openOwnDatabase(context), raw });
  } catch (error) {
    throw new TendError('MAIL_SERVER_TEMPORARY', `The report was not recorded: ${toError(error).message}`, {
      cause: error,
    });
  }
  const { outcome, reason } = processed;
  if (outcome === 'early')
    throw new TendError('MAIL_SERVER_TEMPORARY', 'The message that the report is about is still being sent.');
  if (outcome === 'no-report' || outcome === 'not-understood')
    throw new TendError(
      'INPUT_INVALID',
      `This is no report of a mail server${reason === null ? '' : `: ${reason}`}.`,
    );
  return report([{ file: '-', ...processed }]);
}

function report(messages: readonly ProcessedFile[]): CommandOutcome {
  const recipients = messages.flatMap((message) => message.recipients);
  const count = (outcome: string) => recipients.filter((recipient) => recipient.outcome === outcome).length;
  const left = (outcome: string) => messages.filter((message) => message.outcome === outcome).length;
  const counts = {
    bounced: count('bounced'),
    complained: count('complained'),
    suppressed: recipients.filter(({ isSuppressed }) => isSuppressed).length,
    delayed: count('delayed'),
    repeated: count('repeated'),
    unmatched: left('unmatched'),
    early: left('early'),
    notUnderstood: left('not-understood'),
    otherMail: left('no-report'),
  };
  const result = { ...counts, messages };
  return { result, exitCode: exitCodes.ok.code, render: (output) => render(messages, counts, output) };
}

function render(
  messages: readonly ProcessedFile[],
  counts: { bounced: number; complained: number; suppressed: number },
  output: Output,
): void {
  for (const { file, outcome, reason } of messages) {
    if (outcome === 'not-understood') output.warn(`${file} was left alone: ${reason ?? ''}`);
  }
  for (const { address, outcome, status, isSuppressed } of messages.flatMap(({ recipients }) => recipients)) {
    if (outcome !== 'bounced' && outcome !== 'complained') continue;
    output.summary(
      `${maskAddress(address)} ${outcome}${status === null ? '' : ` (${status})`}${isSuppressed ? ', suppressed' : ''}`,
    );
  }
  const { bounced, complained, suppressed } = counts;
  output.summary(`${bounced} bounced, ${complained} complained, ${suppressed} suppressed`);
}
