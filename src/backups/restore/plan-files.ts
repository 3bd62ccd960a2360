import { access, constants, lstat, readFile, realpath, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { countOf } from '../../count-of.ts';
import { formatBytes } from '../../format-bytes.ts';
import { configuredFiles } from '../create/file-roots.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import { filesPart, type RecordedFiles } from '../sets/manifest.ts';
import { unescapeName } from '../tools/tar-messages.ts';

export interface PlanFilesOptions {
  set: BackupSet;
  backup: Pick<Config['backup'], 'files'>;
  baseDirectory: string;
  /** Of this restore; names what it makes. */
  id: string;
  /** A restore into a new database leaves files alone, and so does one that is told to. */
  mode: 'into' | 'replace' | 'leave';
}

/** One of `[backup] files` that the set brings back. */
export interface PlannedFiles {
  /** What is exchanged: where the configured path really is. It may have been lost. */
  live: string;
  /** Beside it, so that a rename exchanges them: where the set's files are unpacked. */
  fresh: string;
  /** The name under which the present files are kept. */
  keptAs: string;
  /** In the archive. */
  member: string;
  bytes: number;
}

export interface FilesPlan {
  files: PlannedFiles[];
  /** What is in the way, one line each, without a full stop. */
  obstacles: string[];
  warnings: string[];
}

/** Names in a directory are no longer than this, in bytes; what is added to them must fit. */
const longestName = 255 - '..tend_20261122T023000Z-7f3a.partial'.length;

/**
 * Finds where the files of a set go. Only what the configuration names is ever written: a set may come from elsewhere.
 * Changes nothing.
 */
export async function planFiles(options: PlanFilesOptions): Promise<FilesPlan> {
  const { set, backup, baseDirectory, id, mode } = options;
  const recorded = filesPart(set.manifest) === undefined ? undefined : set.manifest.files;
  const held = recorded?.roots ?? [];
  if (mode !== 'replace') {
    const isTold = mode === 'into' && held.length > 0;
    return { files: [], obstacles: [], warnings: isTold ? ['The files of the set are left alone.'] : [] };
  }
  const configured = configuredFiles({ backup, baseDirectory });
  const files: PlannedFiles[] = [];
  for (const { path, member, bytes } of held.filter((root) => configured.includes(root.path))) {
    const live = await realpath(path).catch(() => path);
    const beside = (name: string) => join(dirname(live), name);
    const fresh = beside(`.${basename(live)}.tend_${id}`);
    files.push({ live, fresh, keptAs: beside(`${basename(live)}.before_${id}`), member, bytes });
  }
  return {
    files,
    obstacles: [...(await obstaclesTo(files)), ...(await missingSpace(files, set))],
    warnings: [...differences(held, configured), ...holes(recorded)],
  };
}

async function obstaclesTo(files: readonly PlannedFiles[]): Promise<string[]> {
  const mounts = await mountPoints();
  const found: string[] = [];
  for (const { live } of files) {
    const parent = dirname(live);
    const problem = await access(parent, constants.W_OK | constants.X_OK).catch((error: Error) => error);
    if (problem)
      found.push(`"${live}" cannot be replaced, since its directory is not writable: ${problem.message}`);
    if (mounts.has(live))
      found.push(
        `"${live}" is a mount point, which cannot be exchanged: name a directory inside it in [backup] files`,
      );
    if (Buffer.byteLength(basename(live)) > longestName) found.push(`the name of "${live}" is too long`);
  }
  return found;
}

/** As Linux lists them (proc(5)); elsewhere none are known. */
async function mountPoints(): Promise<Set<string>> {
  const text = await readFile('/proc/self/mountinfo', 'latin1').catch(() => '');
  return new Set(text.split('\n').map((line) => unescapeName(line.split(' ')[4] ?? '')));
}

/** On each file system by itself. Sparse files count less than they seem to: then the archive's size is the limit. */
async function missingSpace(files: readonly PlannedFiles[], set: BackupSet): Promise<string[]> {
  const most = filesPart(set.manifest)?.uncompressedBytes ?? 0;
  const needs = new Map<number, { at: string; bytes: number }>();
  for (const { live, bytes } of files) {
    const at = dirname(live);
    const device = await lstat(at).then(
      ({ dev }) => dev,
      () => undefined,
    ); // that it is missing is said already
    if (device === undefined) continue;
    needs.set(device, { at, bytes: (needs.get(device)?.bytes ?? 0) + bytes });
  }
  const found: string[] = [];
  for (const { at, bytes } of needs.values()) {
    const { bavail, bsize } = await statfs(at);
    const needed = Math.min(bytes, most);
    if (bavail * bsize >= needed) continue;
    found.push(
      `the files need ${formatBytes(needed)} beside the present ones, and ${formatBytes(bavail * bsize)} are free in "${at}"`,
    );
  }
  return found;
}

function differences(held: RecordedFiles['roots'], configured: readonly string[]): string[] {
  const inSet = held.map(({ path }) => path);
  return [
    ...inSet
      .filter((path) => !configured.includes(path))
      .map((path) => `The set holds "${path}", which [backup] files does not name: it is left alone.`),
    ...configured
      .filter((path) => !inSet.includes(path))
      .map((path) => `The set does not hold "${path}": it stays as it is.`),
  ];
}

function holes(recorded: RecordedFiles | undefined): string[] {
  const count = recorded?.unreadable.count ?? 0;
  if (count === 0) return [];
  const [first = ''] = recorded?.unreadable.names ?? [];
  return [`The set was made without ${countOf(count, 'file')} that could not be read, such as "${first}".`];
}
