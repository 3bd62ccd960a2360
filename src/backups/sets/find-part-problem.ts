import { toError } from '../../errors.ts';
import type { BackupSet } from './backup-directory.ts';

/** What a look at the sizes shows to be wrong with the parts of a set; undefined where all are there. Reads no content. */
export async function findPartProblem(set: BackupSet): Promise<string | undefined> {
  for (const { file, bytes } of set.manifest.parts) {
    try {
      const size = await set.files.size(file);
      if (size !== bytes) return `"${file}" has ${size} bytes, not ${bytes}`;
    } catch (error) {
      return `"${file}" is missing: ${toError(error).message}`;
    }
  }
  return undefined;
}
