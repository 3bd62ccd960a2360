import { partialSuffix } from '../sets/sweep-partials.ts';
import { hasStatus } from './sftp-errors.ts';
import type { SftpWork } from './sftp-store.ts';

/** Removes files one after the other, in this order, and the folder. What is not there any more is no failure. */
export async function removeSftpFiles(
  { session, path }: SftpWork,
  id: string,
  files: readonly string[],
): Promise<void> {
  const folder = `${path}/${id}`;
  for (const file of files) {
    for (const name of [file, file + partialSuffix]) {
      await unlessMissing(
        session.ask<void>((sftp, answer) => sftp.unlink(`${folder}/${name}`, (error) => answer(error))),
      );
    }
  }
  await unlessMissing(session.ask<void>((sftp, answer) => sftp.rmdir(folder, (error) => answer(error))));
}

async function unlessMissing(removing: Promise<void>): Promise<void> {
  try {
    await removing;
  } catch (error) {
    if (!hasStatus(error, 'noSuchFile')) throw error;
  }
}
