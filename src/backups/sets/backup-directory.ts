import { createReadStream } from 'node:fs';
import { access, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { Config } from '../../config/schema.ts';
import { TendError, toError } from '../../errors.ts';
import type { ForeignArchive } from '../archive/foreign-archive.ts';
import { isBackupId } from './backup-id.ts';
import { type Manifest, parseManifest } from './manifest.ts';

/** A backup set as it was found: complete, since only then it has its name. */
export interface BackupSet {
  id: string;
  /** Where it lies, for people: a directory here, or an address in a remote. */
  path: string;
  manifest: Manifest;
  files: SetFiles;
  /** The remote it lies in; undefined here. */
  remote?: string;
  /** Set where this is no set of ours, but an archive that somebody made with pg_dump. */
  foreign?: ForeignArchive;
}

/** The files of a set, wherever it lies. */
export interface SetFiles {
  /** Its size in bytes; rejects where there is none. */
  size(file: string): Promise<number>;
  /** Its bytes as they lie there. */
  open(file: string): Promise<Readable>;
}

/** The files of a set in a directory of this machine. */
export function filesIn(directory: string): SetFiles {
  return {
    size: async (file) => (await stat(join(directory, file))).size,
    open: async (file) =>
      await Promise.resolve(createReadStream(join(directory, file), { highWaterMark: 1024 * 1024 })),
  };
}

/** A directory that is named like a set and cannot be read as one. */
export interface DamagedSet {
  id: string;
  path: string;
  problem: string;
  /** True where it may be whole: this user has no right to read it. */
  isForbidden?: boolean;
}

/** `[backup] directory` as an absolute path; CONFIG_INVALID where none is set. */
export function backupDirectory(config: Config, baseDirectory: string): string {
  const { directory } = config.backup;
  if (directory !== undefined) return resolve(baseDirectory, directory);
  throw new TendError(
    'CONFIG_INVALID',
    'No place for backups is configured: [backup] directory is missing.',
    {
      hint: 'Set it in tend.toml: [backup] directory = "/var/backups/app"',
      isPermanent: true,
    },
  );
}

/** All sets of a directory, newest first; what is not named like a set is none of ours. A missing directory has none. */
export async function listBackups(directory: string): Promise<{ sets: BackupSet[]; damaged: DamagedSet[] }> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw unreadable(directory, error);
  });
  const sets: BackupSet[] = [];
  const damaged: DamagedSet[] = [];
  for (const id of names.filter(isBackupId).sort().reverse()) {
    const path = join(directory, id);
    try {
      sets.push(await readSet(path, id));
    } catch (error) {
      const isForbidden = error instanceof TendError && error.code === 'INPUT_MISSING';
      damaged.push({ id, path, problem: toError(error).message, ...(isForbidden && { isForbidden }) });
    }
  }
  return { sets, damaged };
}

/**
 * The set that `source` means: an id, `latest`, or the path of a set that lies elsewhere. `latest` is never an older one
 * in the place of the newest, which cannot be read.
 *
 * @throws TendError BACKUP_NOT_FOUND, BACKUP_DAMAGED, INPUT_MISSING where this user may not read it.
 */
export async function findBackup(options: {
  source: string;
  /** Undefined where no directory is configured: then only a path works. */
  directory: string | undefined;
  /** What a relative path is relative to. */
  baseDirectory: string;
  /** `latest` is the newest set of the database of this name, and one of another only where there is none of it. */
  database?: string;
}): Promise<BackupSet> {
  const { source, directory, baseDirectory, database } = options;
  if (directory !== undefined && source === 'latest') {
    const { sets, damaged } = await listBackups(directory);
    const [bad] = damaged;
    const newest = sets.find(({ manifest }) => manifest.database.name === database) ?? sets[0];
    if (bad !== undefined && (newest === undefined || bad.id > newest.id)) throw unusable(bad, newest);
    if (newest !== undefined) return newest;
    throw notFound(`There is no backup set in "${directory}".`);
  }
  if (directory !== undefined && isBackupId(source)) return await readSet(join(directory, source), source);
  if (!source.includes('/')) throw notFound(`There is no backup set "${source}".`);
  const path = resolve(baseDirectory, source);
  return await readSet(path);
}

/** Reads the set at `path`; a set under `id` must say that it is that one. */
async function readSet(path: string, id?: string): Promise<BackupSet> {
  const manifestPath = join(path, 'manifest.json');
  await access(path).catch(() => {
    throw notFound(`There is no backup set "${id ?? path}".`);
  });
  const text = await readFile(manifestPath, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EACCES') throw forbidden(path, error);
    throw new TendError('BACKUP_DAMAGED', `"${path}" is no complete backup set: ${error.message}`, {
      cause: error,
      isPermanent: true,
    });
  });
  const manifest = parseManifest(text, manifestPath);
  if (id !== undefined && manifest.id !== id) {
    throw new TendError('BACKUP_DAMAGED', `The set "${id}" says it is "${manifest.id}".`, {
      isPermanent: true,
    });
  }
  return { id: manifest.id, path: await realpath(path), manifest, files: filesIn(path) };
}

function notFound(message: string): TendError {
  return new TendError('BACKUP_NOT_FOUND', message, {
    hint: 'See what there is: tend backup list',
    isPermanent: true,
  });
}

function forbidden(path: string, cause: Error): TendError {
  return new TendError('INPUT_MISSING', `Backup set "${path}" cannot be read: ${cause.message}`, {
    cause,
    isPermanent: true,
    hint: `Run tend as the user who owns it: ls -ld ${path}`,
  });
}

function unusable(
  { id, problem, isForbidden = false }: DamagedSet,
  newestGood: BackupSet | undefined,
): TendError {
  const other = newestGood && `; the newest that can be read is ${newestGood.id}, if you want that one`;
  return new TendError(
    isForbidden ? 'INPUT_MISSING' : 'BACKUP_DAMAGED',
    `"${id}" is the newest backup set, and is not to be used: ${problem.replace(/\.$/, '')}.`,
    { isPermanent: true, hint: `See what there is: tend backup list${other ?? ''}` },
  );
}

function unreadable(directory: string, cause: NodeJS.ErrnoException): TendError {
  return new TendError(
    'INPUT_MISSING',
    `The backup directory "${directory}" cannot be read: ${cause.message}`,
    {
      cause,
    },
  );
}
