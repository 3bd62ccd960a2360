import { isEncrypted } from '../parts/find-identity.ts';
import { readPart } from '../parts/read-part.ts';
import { toNowhere } from '../parts/to-nowhere.ts';
import { databasePart, type ManifestPart } from '../sets/manifest.ts';
import { checkStored } from './check-stored.ts';
import { type VerifyDatabaseOptions, verifyDatabase } from './verify-database.ts';
import { verifyFiles } from './verify-files.ts';

/** The identity may be missing: then only what is stored is checked. */
export type VerifyBackupOptions = VerifyDatabaseOptions;

/** `stored`: the bytes are those that were written; `content`: and what they hold was read. */
type Level = 'stored' | 'content';

export interface VerifiedPart extends Pick<ManifestPart, 'file' | 'holds' | 'bytes'> {
  level: Level;
}

export interface VerifiedBackup {
  id: string;
  /** This and what follows is of the database. */
  bytes: number;
  /** Null where the content could not be read. */
  uncompressedBytes: number | null;
  sha256: string;
  level: Level;
  /** All that the set holds. */
  parts: VerifiedPart[];
}

/**
 * Reads every part of a set from beginning to end: `verifyDatabase`, `verifyFiles`, and the roles. An encrypted set
 * whose key is not here, as on the server that makes the sets, is compared with its manifest alone.
 *
 * @throws TendError BACKUP_DAMAGED naming the part and what does not fit; BACKUP_KEY_WRONG; TOOL_TIMED_OUT.
 */
export async function verifyBackup(options: VerifyBackupOptions): Promise<VerifiedBackup> {
  const { set } = options;
  const part = databasePart(set.manifest);
  const level: Level = isReadable(options) ? 'content' : 'stored';
  const { bytes, uncompressedBytes } =
    level === 'content'
      ? await verifyDatabase(options)
      : { ...(await checkStored({ ...options, part })), uncompressedBytes: null };
  const parts = [verifiedPart(part, level), ...(await verifyOtherParts(options))];
  return { id: set.id, bytes, uncompressedBytes, sha256: part.sha256, level, parts };
}

/** The same for what a set holds beside the database. */
export async function verifyOtherParts(options: VerifyBackupOptions): Promise<VerifiedPart[]> {
  const verified: VerifiedPart[] = [];
  for (const part of options.set.manifest.parts) {
    if (part.holds === 'database') continue;
    if (!isReadable(options)) await checkStored({ ...options, part });
    else if (part.holds === 'files') await verifyFiles({ ...options, part });
    else await readPart({ ...options, part, target: toNowhere() });
    verified.push(verifiedPart(part, isReadable(options) ? 'content' : 'stored'));
  }
  return verified;
}

export function verifiedPart({ file, holds, bytes }: ManifestPart, level: Level): VerifiedPart {
  return { file, holds, bytes, level };
}

function isReadable({ set, identity }: VerifyBackupOptions): boolean {
  return !isEncrypted(set.manifest) || identity !== undefined;
}
