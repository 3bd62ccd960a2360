import type { FileEntryWithStats } from 'ssh2';
import type { TendError } from '../../errors.ts';
import { isBackupId, isStranger } from '../sets/backup-id.ts';
import { partialSuffix } from '../sets/sweep-partials.ts';
import { remoteError } from './remote-errors.ts';
import type { RemoteFile } from './remote-store.ts';
import { hasStatus } from './sftp-errors.ts';
import type { SftpWork } from './sftp-store.ts';

/** Folders that are read at once. */
const together = 8;

/** The files of one set, or of all, and what uploads have begun and not finished. */
export async function listSftpFiles(work: SftpWork, id?: string): Promise<RemoteFile[]> {
  if (id !== undefined) return await listSet(work, id);
  const entries = await readDirectory(work, work.path);
  if (entries === undefined) throw missingDirectory(work);
  const ids = entries.map(({ filename }) => filename).filter(isBackupId);
  const found: RemoteFile[] = [];
  for (let start = 0; start < ids.length; start += together) {
    const sets = ids.slice(start, start + together).map(async (each) => await listSet(work, each));
    found.push(...(await Promise.all(sets)).flat());
  }
  return found;
}

/** Names of what is in the directory and not named like a set. */
export async function listSftpStrangers(work: SftpWork): Promise<string[]> {
  const entries = (await readDirectory(work, work.path)) ?? [];
  return entries.map(({ filename }) => filename).filter(isStranger);
}

async function listSet(work: SftpWork, id: string): Promise<RemoteFile[]> {
  const entries = (await readDirectory(work, `${work.path}/${id}`)) ?? [];
  return entries.flatMap(({ filename, attrs }) => {
    if (filename === '.' || filename === '..') return [];
    const isPartial = filename.endsWith(partialSuffix);
    return {
      id,
      file: isPartial ? filename.slice(0, -partialSuffix.length) : filename,
      bytes: attrs.size,
      modifiedAt: new Date(attrs.mtime * 1000),
      state: isPartial ? 'unfinished' : 'whole',
    };
  });
}

/** Undefined where there is no such directory. */
async function readDirectory({ session }: SftpWork, path: string): Promise<FileEntryWithStats[] | undefined> {
  try {
    return await session.ask<FileEntryWithStats[]>((sftp, answer) => sftp.readdir(path, answer));
  } catch (error) {
    if (hasStatus(error, 'noSuchFile')) return undefined;
    throw error;
  }
}

/** What `path` of the configuration names is not there. */
export function missingDirectory({ place, path }: Pick<SftpWork, 'place' | 'path'>): TendError {
  return remoteError('REMOTE_MISSING', place, `there is no directory "${path}"`, {
    hint: `Create it there, or correct [backup.remotes.${place.name}] path`,
  });
}
