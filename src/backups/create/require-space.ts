import { statfs } from 'node:fs/promises';
import { TendError } from '../../errors.ts';
import { formatBytes } from '../../format-bytes.ts';
import type { Compression } from '../parts/compression.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import type { ManifestPart } from '../sets/manifest.ts';

/** What is about to be written may be larger than what was written last by this much. */
const growth = 1.2;

/**
 * A dump is smaller than its database (no indexes, no dead rows), and compressed it is a quarter of it. Where nothing is
 * known yet, more is asked for: bytes that cannot be compressed are the whole of some databases.
 */
const firstDump = { zstd: 0.5, none: 1 } as const;

/**
 * Refuses a backup that would end in a full disk.
 *
 * @throws TendError OUTPUT_UNWRITABLE with the numbers.
 */
export async function requireSpace(options: {
  directory: string;
  databaseBytes: number;
  /** Of the archive of files; 0 without one. */
  archiveBytes: number;
  compression: Compression;
  /** The newest set of the same database; undefined for the first one. */
  newest: BackupSet | undefined;
}): Promise<void> {
  const { directory } = options;
  const needed = Math.ceil(dumpBytes(options) + packedBytes(options));
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free >= needed) return;
  const numbers = `a backup set needs about ${formatBytes(needed)}, and ${formatBytes(free)} are free`;
  throw new TendError('OUTPUT_UNWRITABLE', `There is not enough space in "${directory}": ${numbers}.`, {
    hint: `Make room, or remove old sets: df -h ${directory}; tend backup list`,
  });
}

type Expected = Omit<Parameters<typeof requireSpace>[0], 'directory'>;

function dumpBytes({ newest, databaseBytes, compression }: Expected): number {
  const before = partOf(newest, 'database');
  if (before !== undefined) return before.bytes * growth;
  return databaseBytes * firstDump[compression.format];
}

/** Files are measured; how far they can be compressed, the newest set knows. */
function packedBytes({ newest, archiveBytes }: Expected): number {
  const before = partOf(newest, 'files');
  if (before === undefined || before.uncompressedBytes === 0) return archiveBytes;
  return archiveBytes * Math.min(1, (before.bytes / before.uncompressedBytes) * growth);
}

function partOf(set: BackupSet | undefined, holds: ManifestPart['holds']): ManifestPart | undefined {
  return set?.manifest.parts.find((part) => part.holds === holds);
}
