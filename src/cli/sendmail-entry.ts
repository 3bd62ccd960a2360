import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { TendError } from '../errors.ts';
import { maskAddress, maskAddressesIn } from '../mail/mail-address.ts';
import { findMailSettings } from '../mail/mail-settings.ts';
import { prepareMessage } from '../mail/prepare-message.ts';
import { sendComposed } from '../mail/send-once.ts';
import { parseSendmailArguments } from '../mail/sendmail-arguments.ts';
import { type ProcessHost, systemHost } from './process-host.ts';
import { runBody } from './run-body.ts';

export interface SendmailMainOptions {
  /** Without the program's name. */
  argv: readonly string[];
  /** The message. */
  stdin: Readable;
  host?: ProcessHost;
}

const globalFlags = { json: false, config: undefined, quiet: false, verbosity: 0, noColor: false };

/**
 * `tend-sendmail`: sendmail(8) for cron's MAILTO and PHP's sendmail_path. Sends at once through `[mail] url`, without a
 * database, says nothing on success, and returns an exit code of sysexits(3): 75 is "try again".
 */
export async function main({ argv, stdin, host = systemHost() }: SendmailMainOptions): Promise<number> {
  const code = await runBody({ commandId: 'sendmail', flags: globalFlags, host }, async (context) => {
    const { config, clock, signal, log, output } = context;
    const request = parseSendmailArguments(argv);
    const settings = findMailSettings(context);
    const composed = prepareMessage({
      request,
      input: await buffer(stdin),
      defaultFrom: config.mail.from,
      redirectAll: config.mail.redirect_all,
      hostName: host.hostname,
      userName: host.osUser ?? 'nobody',
      clock,
    });
    const report = await sendComposed({ ...context, composed, settings, signal, log });
    const failed = [...report.refused, ...report.deferred];
    for (const { address, reply } of failed)
      output.warn(`${maskAddress(address)} was not taken: ${maskAddressesIn(reply)}`);
    return { result: report, exitCode: failed.length > 0 ? 3 : 0 };
  });
  // sysexits(3) has no "some": what was refused is unavailable.
  return code >= 1 && code <= 3 ? new TendError('MAIL_SERVER_UNREACHABLE', '').exitCode : code;
}
