import { pipeline } from 'node:stream/promises';
import { Meter } from '../parts/meter.ts';
import { aboutSet, checkSize, requireHash } from '../parts/read-part.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import type { ManifestPart } from '../sets/manifest.ts';

/**
 * Compares a part as it lies there with the manifest, without a look into it: what can be done where the key of an
 * encrypted set is not.
 *
 * @throws TendError BACKUP_DAMAGED.
 */
export async function checkStored(options: {
  set: BackupSet;
  part: ManifestPart;
  signal: AbortSignal;
}): Promise<{ bytes: number }> {
  const { set, part, signal } = options;
  const stored = new Meter({ algorithm: 'sha256' });
  try {
    await checkSize(options);
    await pipeline(await set.files.open(part.file), stored.resume(), { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw aboutSet(set.id, part.file, error);
  }
  requireHash(set.id, part, stored.digest());
  return { bytes: stored.bytes };
}
