import type { Clock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import { splitAddressList } from '../addresses/split-address-list.ts';
import type { ComposedMessage } from '../compose/compose-message.ts';
import { splitMessage, unfold } from '../compose/header-block.ts';
import { type DkimSettings, signMessage } from '../dkim/sign-message.ts';

export interface SignPreparedOptions {
  composed: ComposedMessage;
  dkim: DkimSettings | undefined;
  clock: Clock;
  log: Log;
}

/**
 * Signs a message that another program wrote, as one of our own; one that carries a signature already keeps that and gets
 * no other.
 *
 * @throws TendError MAIL_NOT_CONFIGURED for a key that cannot be used.
 */
export async function signPrepared(options: SignPreparedOptions): Promise<ComposedMessage> {
  const { composed, dkim, clock, log } = options;
  const { fields } = splitMessage(composed.raw.toString('latin1'));
  const named = (name: string) => fields.find((field) => field.name.toLowerCase() === name);
  if (dkim === undefined || named('dkim-signature') !== undefined) return composed;
  const header = named('from');
  const [from = ''] = header === undefined ? [] : splitAddressList(unfold(header));
  const fromDomain = from.slice(from.lastIndexOf('@') + 1).toLowerCase();
  const raw = await signMessage({
    raw: composed.raw,
    ...{ fromDomain, dkim, log },
    isDefaultFrom: false,
    date: clock.now(),
  });
  return { ...composed, raw };
}
