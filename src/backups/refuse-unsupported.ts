import type { Config } from '../config/schema.ts';
import { TendError } from '../errors.ts';

/**
 * Refuses what the configuration asks for and this version cannot do: a backup without the remote
 * copy that somebody relies on is worse than none.
 *
 * @throws TendError CONFIG_INVALID naming the setting.
 */
export function refuseUnsupported({ backup }: { backup: Config['backup'] }): void {
  if (Object.keys(backup.remotes).length > 0) {
    throw refusal('[backup.remotes] asks for remote copies, which this version of tend cannot make');
  }
}

function refusal(message: string): TendError {
  return new TendError('CONFIG_INVALID', `No backup was made: ${message}.`, {
    hint: 'Remove the setting from tend.toml if a backup without it is acceptable.',
    isPermanent: true,
  });
}
