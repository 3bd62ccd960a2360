import { open, rm } from 'node:fs/promises';
import { TendError } from '../errors.ts';

/**
 * Writes a tend.toml that is not there yet; never over one that is.
 *
 * @throws TendError OUTPUT_UNWRITABLE.
 */
export async function writeNewConfig(path: string, text: string): Promise<void> {
  let isMade = false;
  try {
    await using file = await open(path, 'wx', 0o644);
    isMade = true;
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    if (isMade) await rm(path, { force: true });
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    if (code === 'EEXIST') throw configIsThere(path);
    throw new TendError('OUTPUT_UNWRITABLE', `"${path}" cannot be written (${code}).`, { cause: error });
  }
}

export function configIsThere(path: string): TendError {
  return new TendError('OUTPUT_UNWRITABLE', `"${path}" is there already, and is not overwritten.`, {
    hint: `tend config validate --config ${path}, or move it away`,
    isPermanent: true,
  });
}
