import type { Compression } from '../parts/compression.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import type { ManifestPart } from '../sets/manifest.ts';

export interface KnownBefore {
  databaseBytes: number;
  /** Of the archive of files; 0 without one. */
  archiveBytes: number;
  compression: Compression;
  /** The newest set of the same database; undefined for the first one. */
  newest: BackupSet | undefined;
}

/** How large the parts of a set are going to be, as they are stored. */
export interface ExpectedBytes {
  dump: number;
  files: number;
}

/**
 * A dump is smaller than its database (no indexes, no dead rows), and compressed it is a quarter of it. Where nothing is
 * known yet, more is asked for: bytes that cannot be compressed are the whole of some databases.
 */
const firstDump = { zstd: 0.5, none: 1 } as const;

/**
 * Goes by the newest set. Files are measured; how far they can be compressed, that set knows.
 *
 * @param growth what is about to be written may be larger than what was written last by this factor.
 */
export function expectedBytes(known: KnownBefore, growth: number): ExpectedBytes {
  const { newest, databaseBytes, archiveBytes, compression } = known;
  const dump = partOf(newest, 'database');
  const files = partOf(newest, 'files');
  const packed = files && files.uncompressedBytes > 0 ? (files.bytes / files.uncompressedBytes) * growth : 1;
  return {
    dump: dump ? dump.bytes * growth : databaseBytes * firstDump[compression.format],
    files: archiveBytes * Math.min(1, packed),
  };
}

function partOf(set: BackupSet | undefined, holds: ManifestPart['holds']): ManifestPart | undefined {
  return set?.manifest.parts.find((part) => part.holds === holds);
}
