import type { Stats } from 'ssh2';
import { formatBytes } from '../../format-bytes.ts';
import { partialSuffix } from '../sets/sweep-partials.ts';
import { remoteError } from './remote-errors.ts';
import type { Upload } from './remote-store.ts';
import { hasStatus } from './sftp-errors.ts';
import { missingDirectory } from './sftp-list.ts';
import type { SftpSession } from './sftp-session.ts';
import type { SftpWork } from './sftp-store.ts';
import { windowBytes, writeFrom } from './sftp-transfer.ts';

/** Stores a file as `<file>.partial`, goes on with one that is there, and renames it when all of it is on disk there. */
export async function putSftpFile(work: SftpWork, upload: Upload): Promise<number> {
  const { session, path } = work;
  const { id, file, bytes, existing } = upload;
  const folder = `${path}/${id}`;
  const target = `${folder}/${file}`;
  if (existing === 'keep' && (await sizeOf(session, target)) === bytes) {
    upload.report?.(bytes);
    return 0;
  }
  await makeFolder(work, folder);
  const partial = target + partialSuffix;
  const start = await startOf(work, upload, partial);
  await requireRoom(work, bytes - start);
  const flags = start > 0 ? 'r+' : 'w';
  const handle = await session.ask<Buffer>((sftp, answer) =>
    sftp.open(partial, flags, { mode: 0o600 }, answer),
  );
  const report = (at: number) => upload.report?.(at);
  await writeFrom({ session, handle }, { source: upload.source, start, report }).catch(
    async (error: unknown) => {
      if (hasStatus(error, 'failure')) await requireRoom(work, windowBytes);
      throw error;
    },
  );
  await sync(session, handle);
  const { size } = await session.ask<Stats>((sftp, answer) => sftp.fstat(handle, answer));
  await session.ask<void>((sftp, answer) => sftp.close(handle, (error) => answer(error)));
  if (size !== bytes)
    throw remoteError('REMOTE_FAILED', work.place, `"${id}/${file}" has ${size} bytes there, not ${bytes}`);
  await replace(session, partial, target);
  return bytes - start;
}

/**
 * Where to go on. What was on its way when an upload was cut off may have left a hole, so that stretch is sent again;
 * where nothing is read back afterwards, nothing of the remains is trusted.
 */
async function startOf(
  { session, verifyUpload }: SftpWork,
  upload: Upload,
  partial: string,
): Promise<number> {
  if (upload.existing === 'replace' || verifyUpload === 'size') return 0;
  const size = (await sizeOf(session, partial)) ?? 0;
  return size > upload.bytes ? 0 : Math.max(0, size - windowBytes);
}

async function sizeOf(session: SftpSession, path: string): Promise<number | undefined> {
  try {
    return (await session.ask<Stats>((sftp, answer) => sftp.stat(path, answer))).size;
  } catch (error) {
    if (hasStatus(error, 'noSuchFile')) return undefined;
    throw error;
  }
}

async function makeFolder(work: SftpWork, folder: string): Promise<void> {
  const { session } = work;
  try {
    await session.ask<void>((sftp, answer) => sftp.mkdir(folder, { mode: 0o700 }, (error) => answer(error)));
  } catch (error) {
    if (hasStatus(error, 'noSuchFile')) throw missingDirectory(work);
    // Version 3 of the protocol has no word for "it exists".
    if (!hasStatus(error, 'failure') || (await sizeOf(session, folder)) === undefined) throw error;
  }
}

/** OpenSSH tells how much room there is; it says only "Failure" when there is none. */
async function requireRoom({ session, place, path }: SftpWork, bytes: number): Promise<void> {
  const found = await session
    .ask<{ f_bavail: number; f_frsize: number }>((sftp, answer) => sftp.ext_openssh_statvfs(path, answer))
    .catch(() => undefined);
  if (found === undefined) return;
  const room = found.f_bavail * found.f_frsize;
  if (room >= bytes) return;
  throw remoteError(
    'REMOTE_FULL',
    place,
    `there is no room: ${formatBytes(room)} are free, ${formatBytes(bytes)} are needed`,
  );
}

/** Onto the disk there, with servers that can. */
async function sync(session: SftpSession, handle: Buffer): Promise<void> {
  await session
    .ask<void>((sftp, answer) => sftp.ext_openssh_fsync(handle, (error) => answer(error)))
    .catch((error: unknown) => {
      if (!(error instanceof Error && /does not support/.test(error.message))) throw error;
    });
}

/** OpenSSH's rename replaces what is there, the protocol's own does not. */
async function replace(session: SftpSession, from: string, to: string): Promise<void> {
  try {
    await session.ask<void>((sftp, answer) => sftp.ext_openssh_rename(from, to, (error) => answer(error)));
  } catch (error) {
    if (!(error instanceof Error && /does not support/.test(error.message))) throw error;
    await session.ask<void>((sftp, answer) => sftp.unlink(to, () => answer(undefined)));
    await session.ask<void>((sftp, answer) => sftp.rename(from, to, (failure) => answer(failure)));
  }
}
