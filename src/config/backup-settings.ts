import * as v from 'valibot';
import { ageRecipient } from './age-recipient.ts';
import { backupRemotes } from './backup-remotes.ts';
import { keepSettings } from './keep-settings.ts';
import { duration, integer, section, text, textList } from './setting-types.ts';

/** `[backup]` of tend.toml. */
export const backupSettings = section({
  directory: v.optional(text),
  compression: v.optional(
    v.pipe(text, v.regex(/^(none|zstd(:(-?\d{1,2}))?)$/, '"none", "zstd" or "zstd:LEVEL" was expected')),
    'zstd:1',
  ),
  encrypt_to: v.optional(v.array(ageRecipient, 'a list of strings was expected'), []),
  identity_file: v.optional(text),
  /** How long a restore keeps the database that it has replaced. */
  keep_replaced: v.optional(duration, '7d'),
  files: v.optional(textList, []),
  /** Patterns of GNU tar: `*.tmp` at any depth, `/srv/cms/media/cache` only there. */
  exclude: v.optional(textList, []),
  /** How long pg_dump or tar may neither read nor write. */
  silence: v.optional(duration, '1h'),
  /** A dump that waits longer for a table ends: every query behind it in the queue of that lock waits too. */
  lock_wait: v.optional(v.pipe(duration, v.minValue(1, 'at least "1ms"')), '30s'),
  keep: v.optional(keepSettings),
  remotes: v.optional(backupRemotes, {}),
  tools_directory: v.optional(text),
  /** Where a restore unpacks the dump; the backup directory unless set. */
  work_directory: v.optional(text),
  /** How many sessions a restore loads with; one for each processor unless set, at most 8. */
  jobs: v.optional(integer(1, 64)),
});
