import { statfs } from 'node:fs/promises';
import { TendError } from '../../errors.ts';
import { formatBytes } from '../../format-bytes.ts';
import { expectedBytes, type KnownBefore } from './expected-bytes.ts';

/** What is about to be written may be larger than what was written last by this much. */
const growth = 1.2;

/**
 * Refuses a backup that would end in a full disk.
 *
 * @throws TendError OUTPUT_UNWRITABLE with the numbers.
 */
export async function requireSpace(options: KnownBefore & { directory: string }): Promise<void> {
  const { directory } = options;
  const expected = expectedBytes(options, growth);
  const needed = Math.ceil(expected.dump + expected.files);
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free >= needed) return;
  const numbers = `a backup set needs about ${formatBytes(needed)}, and ${formatBytes(free)} are free`;
  throw new TendError('OUTPUT_UNWRITABLE', `There is not enough space in "${directory}": ${numbers}.`, {
    hint: `Make room, or remove old sets: df -h ${directory}; tend backup list`,
  });
}
