import type { CommandContext } from './command-context.ts';
import { hostName } from './handler-context.ts';
import { type ProcessHost, systemHost } from './process-host.ts';

/** `ann on web1`: who typed a decision that stays on record. In a container the account may have no name. */
export function whoDecides(
  context: Pick<CommandContext, 'config'>,
  { osUser }: Pick<ProcessHost, 'osUser'> = systemHost(),
): string {
  return `${osUser ?? 'an account without a name'} on ${hostName(context)}`;
}
