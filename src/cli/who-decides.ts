import { userInfo } from 'node:os';
import type { CommandContext } from './command-context.ts';
import { hostName } from './handler-context.ts';

/** `ann on web1`: who typed a decision that stays on record. */
export function whoDecides(context: Pick<CommandContext, 'config'>): string {
  return `${userInfo().username} on ${hostName(context)}`;
}
