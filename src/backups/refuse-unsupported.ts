import type { Config } from '../config/schema.ts';
import { TendError } from '../errors.ts';

/**
 * Refuses what the configuration asks for and this version cannot do: a backup without the files or the remote
 * copy that somebody relies on is worse than none.
 *
 * @throws TendError CONFIG_INVALID naming the setting.
 */
export function refuseUnsupported(options: { backup: Config['backup']; includeFiles: 'yes' | 'no' }): void {
  const { backup, includeFiles } = options;
  if (Object.keys(backup.remotes).length > 0) {
    throw refusal('[backup.remotes] asks for remote copies, which this version of tend cannot make');
  }
  if (backup.files.length > 0 && includeFiles === 'yes') {
    throw refusal(
      '[backup] files asks for files, which this version of tend cannot back up',
      'tend backup --no-files',
    );
  }
}

function refusal(message: string, command?: string): TendError {
  return new TendError('CONFIG_INVALID', `No backup was made: ${message}.`, {
    hint:
      command === undefined
        ? 'Remove the setting from tend.toml if a backup without it is acceptable.'
        : `If a backup without them is acceptable: ${command}`,
    isPermanent: true,
  });
}
