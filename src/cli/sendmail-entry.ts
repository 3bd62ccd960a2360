import type { Readable } from 'node:stream';
import { countOf } from '../count-of.ts';
import { TendError } from '../errors.ts';
import { maskAddress, maskAddressesIn } from '../mail/addresses/mail-address.ts';
import { sendComposed } from '../mail/delivery/send-once.ts';
import { prepareMessage } from '../mail/sendmail/prepare-message.ts';
import { readInput } from '../mail/sendmail/read-input.ts';
import { parseSendmailArguments, type SendmailRequest } from '../mail/sendmail/sendmail-arguments.ts';
import { signPrepared } from '../mail/sendmail/sign-prepared.ts';
import { sysexit } from '../mail/sendmail/sysexit.ts';
import { findMailSettings } from '../mail/servers/mail-settings.ts';
import type { CommandContext, CommandOutcome } from './command-context.ts';
import { enqueuePrepared } from './enqueue-prepared.ts';
import { findMailQueue } from './mail-queue.ts';
import { type ProcessHost, systemHost } from './process-host.ts';
import { runBody } from './run-body.ts';

export interface SendmailMainOptions {
  /** Without the program's name. */
  argv: readonly string[];
  /** The message. */
  stdin: Readable;
  host?: ProcessHost;
}

/**
 * `tend-sendmail`: sendmail(8) for cron's MAILTO and PHP's sendmail_path. Where the queue can be reached and ticks run, the
 * message is durable there when the program ends, and delivered, tried again and on record like any other; else it is
 * sent at once through `[mail] url`. Says nothing on success, and returns an exit code of sysexits(3): 75 is "try again".
 */
export async function main({ argv, stdin, host = systemHost() }: SendmailMainOptions): Promise<number> {
  const parsed = parse(argv);
  const flags = { json: false, config: parsed.request?.config, quiet: false, verbosity: 0, noColor: false };
  const readsConfig = parsed.request !== undefined;
  let failure: unknown;
  const code = await runBody({ commandId: 'sendmail', flags, host, readsConfig }, async (context) => {
    try {
      if (parsed.request === undefined) throw parsed.error;
      return await send(context, { request: parsed.request, stdin, host });
    } catch (error) {
      failure = error;
      throw error;
    }
  });
  return sysexit({ code, error: failure });
}

/** An error is reported where all are, and the configuration is found by an argument before that. */
function parse(argv: readonly string[]): { request?: SendmailRequest; error?: unknown } {
  try {
    return { request: parseSendmailArguments(argv) };
  } catch (error) {
    return { error };
  }
}

async function send(
  context: CommandContext,
  { request, stdin, host }: { request: SendmailRequest; stdin: Readable; host: ProcessHost },
): Promise<CommandOutcome> {
  const { config, clock, output } = context;
  const settings = findMailSettings(context);
  const prepared = prepareMessage({
    request,
    input: await readInput(stdin),
    defaultFrom: config.mail.from,
    redirectAll: config.mail.redirect_all,
    aliases: config.mail.aliases,
    hostName: host.hostname,
    userName: host.osUser ?? 'nobody',
    clock,
  });
  const composed = await signPrepared({ ...context, composed: prepared, dkim: settings.dkim });
  const db = await findMailQueue(context);
  if (db !== undefined) return { result: { taskId: await enqueuePrepared({ db, composed }) } };
  const report = await sendComposed({ ...context, composed, settings });
  const failed = [...report.refused, ...report.deferred];
  for (const { address, reply } of failed)
    output.warn(`${maskAddress(address)} was not taken: ${maskAddressesIn(reply)}`);
  if (failed.length === 0) return { result: report };
  // Nobody would try again those who were put off; a caller that does sends it to all once more.
  throw new TendError(
    report.deferred.length > 0 ? 'MAIL_SERVER_UNREACHABLE' : 'MAIL_RECIPIENTS_REFUSED',
    `${failed.length} of ${countOf(composed.envelope.to.length, 'recipient')} ${failed.length === 1 ? 'has' : 'have'} not got the message.`,
  );
}
