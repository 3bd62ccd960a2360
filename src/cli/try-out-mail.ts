import { maskAddressesIn } from '../mail/addresses/mail-address.ts';
import type { ComposedMessage } from '../mail/compose/compose-message.ts';
import { tokenFetcher } from '../mail/servers/fetch-token.ts';
import { defaultServer, serverChain } from '../mail/servers/mail-server.ts';
import { findMailSettings } from '../mail/servers/mail-settings.ts';
import { type CheckedRecipients, checkRecipients } from '../mail/smtp/check-recipients.ts';
import type { CommandContext, CommandOutcome } from './command-context.ts';

/**
 * `--dry-run`: asks the mail server about sender and recipients, without the message (exit 3: it would refuse some). A
 * transport that is no server is not asked.
 *
 * @throws TendError MAIL_*.
 */
export async function tryOutMail(
  context: CommandContext,
  composed: ComposedMessage,
  serverName: string = defaultServer,
): Promise<CommandOutcome> {
  const { messageId, envelope, raw } = composed;
  const check = await ask(context, composed, serverName);
  const failed = check?.recipients.filter(({ status }) => status !== 'accepted') ?? [];
  const result = {
    ...{ accepted: [], refused: [], deferred: [], suppressed: [], reply: null, messageId, taskId: null },
    ...{ recipients: envelope.to, bytes: raw.length, check },
  };
  return {
    result,
    exitCode: failed.length > 0 ? 3 : 0,
    render(output) {
      output.print(`Would send ${raw.length} bytes from ${envelope.from} to ${envelope.to.join(', ')}`);
      if (check === null) return;
      output.print(describe(check));
      for (const { address, status, reply } of check.recipients)
        output.print(
          `${address}: ${status === 'accepted' ? 'accepted' : `${status}: ${maskAddressesIn(reply)}`}`,
        );
    },
  };
}

async function ask(
  context: CommandContext,
  { envelope, raw }: ComposedMessage,
  serverName: string,
): Promise<CheckedRecipients | null> {
  const [server] = serverChain(findMailSettings(context).servers, serverName);
  const transport = server?.transport;
  if (transport?.type !== 'smtp') return null;
  const { tokenCommand: command } = transport;
  const fetchToken = command === undefined ? undefined : tokenFetcher({ ...context, command });
  const { signal } = context;
  return await checkRecipients({ transport, signal, fetchToken, ...envelope, size: raw.length });
}

function describe({ server, tls, isLoggedIn }: CheckedRecipients): string {
  const safety =
    tls === null
      ? 'not encrypted'
      : `${tls.protocol} ${tls.cipher}, certificate ${tls.isVerified ? 'verified' : 'not verified'}`;
  return `${server}: ${safety}, ${isLoggedIn ? 'logged in' : 'without a login'}`;
}
