import { createReadStream } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Duplex, PassThrough, type Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { TendError } from '../../errors.ts';
import { damagedPart } from '../parts/read-part.ts';
import { NeedsMoreBytes } from './archive-cursor.ts';
import { type ArchiveToc, archiveMagic, readArchiveHead, readArchiveToc } from './archive-toc.ts';

/** Around an archive of the custom format: what somebody compressed it with. */
export type Wrapping = 'none' | 'gzip' | 'zstd';

/** An archive that tend did not make: `pg_dump -Fc`, `-Ft` or `-Fd`. */
export interface ForeignArchive {
  path: string;
  wrapping: Wrapping;
  bytes: number;
  toc: ArchiveToc;
}

const tarBlock = 512;
const unwrappers: Record<Wrapping, () => Duplex> = {
  none: () => new PassThrough(),
  gzip: createGunzip,
  zstd: createZstdDecompress,
};

/**
 * Reads the table of contents of an archive at `path`; undefined where a directory is none.
 *
 * @throws TendError INPUT_INVALID where the file is no archive: plain SQL, or anything else; BACKUP_DAMAGED where it
 *   ends too early; RESTORE_REFUSED where a newer pg_dump made it than is known here.
 */
export async function findForeignArchive(path: string): Promise<ForeignArchive | undefined> {
  const found = await stat(path);
  if (found.isDirectory()) return await readDirectory(path);
  const wrapping = wrappingOf(await beginningOf(path));
  const beginning = await firstBytes(openArchive({ path, wrapping }), tarBlock + archiveMagic.length, path);
  const isTar = beginning.toString('latin1', 0, 8) === 'toc.dat\0';
  const offset = isTar ? tarBlock : 0;
  const hasMagic = beginning.subarray(offset, offset + archiveMagic.length).equals(archiveMagic);
  if (!hasMagic || (isTar && wrapping !== 'none')) throw noArchive(path, beginning);
  const toc = await readToc(openArchive({ path, wrapping }), offset, path);
  return { path, wrapping, bytes: found.size, toc };
}

/** The table of contents of an archive of the custom format, as it is; undefined where it is of a later version. */
export async function readTocOf(path: string): Promise<ArchiveToc | undefined> {
  try {
    return await readToc(openArchive({ path, wrapping: 'none' }), 0, path);
  } catch (error) {
    if (error instanceof TendError && error.code === 'RESTORE_REFUSED') return undefined;
    throw error;
  }
}

/** Its bytes without what was wrapped around them. */
export function openArchive({ path, wrapping }: Pick<ForeignArchive, 'path' | 'wrapping'>): Readable {
  const file = createReadStream(path, { highWaterMark: 1024 * 1024 });
  if (wrapping === 'none') return file;
  const unwrapped = unwrappers[wrapping]();
  file.on('error', (error) => unwrapped.destroy(error));
  unwrapped.on('close', () => file.destroy());
  return file.pipe(unwrapped);
}

async function readDirectory(path: string): Promise<ForeignArchive | undefined> {
  const bytes = await readFile(join(path, 'toc.dat')).catch(() => undefined);
  if (bytes === undefined) return undefined;
  if (!bytes.subarray(0, archiveMagic.length).equals(archiveMagic))
    throw noArchive(join(path, 'toc.dat'), bytes);
  const toc = tryReading(bytes, path);
  if (toc === undefined) throw cutOff(path);
  // It says `tar` of itself, so that its files can be put into a tar archive as they are (pg_backup_directory.c).
  const head = { ...toc.head, format: 'directory' as const };
  return { path, wrapping: 'none', bytes: await sizeOfFiles(path), toc: { ...toc, head } };
}

async function sizeOfFiles(directory: string): Promise<number> {
  const sizes = (await readdir(directory)).map(async (name) => (await stat(join(directory, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Reads as much as the table of contents needs, in doubling steps. */
async function readToc(source: Readable, offset: number, path: string): Promise<ArchiveToc> {
  const chunks: Buffer[] = [];
  let [length, tryAt] = [0, 64 * 1024];
  for await (const chunk of readSafely(source, path)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length < tryAt) continue;
    tryAt = length * 2;
    const toc = tryReading(Buffer.concat(chunks).subarray(offset), path);
    if (toc !== undefined) return toc;
  }
  const toc = tryReading(Buffer.concat(chunks).subarray(offset), path);
  if (toc === undefined) throw cutOff(path);
  return toc;
}

function tryReading(bytes: Buffer, path: string): ArchiveToc | undefined {
  try {
    const toc = readArchiveToc(bytes);
    if (toc !== undefined) return toc;
  } catch (error) {
    if (error instanceof NeedsMoreBytes) return undefined;
    throw error;
  }
  const { dumpVersion } = readArchiveHead(bytes);
  throw new TendError(
    'RESTORE_REFUSED',
    `"${path}" was made by pg_dump ${dumpVersion}, in a format that this version of tend does not know.`,
    { isPermanent: true, hint: 'Dump it anew, with the pg_dump of the version of the server it is for.' },
  );
}

async function firstBytes(source: Readable, count: number, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of readSafely(source, path)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= count) break;
  }
  return Buffer.concat(chunks);
}

/** What cannot be unwrapped was cut off, or is damaged otherwise. */
async function* readSafely(source: Readable, path: string): AsyncGenerator<Buffer> {
  try {
    yield* source as AsyncIterable<Buffer>; // no encoding was set
  } catch (error) {
    throw damagedArchive(path, error instanceof Error ? error.message : 'it cannot be read', error);
  }
}

async function beginningOf(path: string): Promise<Buffer> {
  await using file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
  return buffer.subarray(0, bytesRead);
}

function wrappingOf(bytes: Buffer): Wrapping {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
  return bytes.toString('hex') === '28b52ffd' ? 'zstd' : 'none';
}

function cutOff(path: string): TendError {
  return damagedArchive(path, 'its table of contents is cut off');
}

/** An archive that is not whole, in the words that are used for sets. */
export function damagedArchive(path: string, why: string, cause?: unknown): TendError {
  const { message } = damagedPart(path, why, cause);
  return new TendError('BACKUP_DAMAGED', message.replace('Backup set', 'Archive'), {
    cause,
    isPermanent: true,
  });
}

function noArchive(path: string, beginning: Buffer): TendError {
  const text = beginning.toString('latin1');
  const isSql = !text.includes('\0') && /^(--|\\restrict|SET |CREATE |BEGIN|INSERT |COPY )/m.test(text);
  if (!isSql) {
    const what =
      beginning.length === 0 ? 'it is empty' : 'it is neither a backup set nor an archive of pg_dump';
    return new TendError('INPUT_INVALID', `"${path}" is not restored: ${what}.`, { isPermanent: true });
  }
  return new TendError(
    'INPUT_INVALID',
    `"${path}" is not restored: it is plain SQL. Nobody can tell whether such a dump was cut off (what is there loads without an error), and psql runs programs that a dump names (CVE-2025-8714).`,
    {
      isPermanent: true,
      hint: `Dump an archive: pg_dump -Fc. If there is nothing else, and you trust it: createdb NEW && psql -X -1 -v ON_ERROR_STOP=1 -d NEW -f ${path}; then look whether everything is there.`,
    },
  );
}
