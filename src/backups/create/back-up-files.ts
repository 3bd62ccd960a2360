import { realpath } from 'node:fs/promises';
import type { Config } from '../../config/schema.ts';
import type { Log, Progress } from '../../log.ts';
import { parseCompression } from '../parts/compression.ts';
import type { ManifestPart, RecordedFiles } from '../sets/manifest.ts';
import { findTar } from '../tools/find-tar.ts';
import { archiveFiles } from './archive-files.ts';
import { type FileRoot, findFileRoots } from './file-roots.ts';
import { type MeasuredFiles, measureFiles } from './measure-files.ts';

export interface PrepareFilesOptions {
  backup: Config['backup'];
  baseDirectory: string;
  /** The backup directory; it exists. */
  backupDirectory: string;
  includeFiles: 'yes' | 'no';
  env: NodeJS.ProcessEnv;
  log: Log;
  signal: AbortSignal;
}

/** What there is to pack, found before anything is written. */
export interface PreparedFiles {
  tar: string;
  roots: FileRoot[];
  measured: MeasuredFiles;
  /** The real path of the backup directory, which may lie in a root. */
  backupDirectory: string;
}

/**
 * Looks at `[backup] files`: undefined where there are none, or none are asked for.
 *
 * @throws TendError INPUT_MISSING, CONFIG_INVALID, TOOL_NOT_FOUND.
 */
export async function prepareFiles(options: PrepareFilesOptions): Promise<PreparedFiles | undefined> {
  const { backup, includeFiles } = options;
  if (backup.files.length === 0 || includeFiles === 'no') return undefined;
  const roots = await findFileRoots(options);
  const tar = await findTar(options);
  const backupDirectory = await realpath(options.backupDirectory);
  const { exclude } = backup;
  const measured = await measureFiles({ ...options, tar, roots, exclude, backupDirectory });
  return { tar, roots, measured, backupDirectory };
}

/** Packs what was found, as a part of the set in `directory`. */
export async function backUpFiles(options: {
  prepared: PreparedFiles;
  /** How large the part is going to be. */
  expectedBytes: number;
  backup: Config['backup'];
  directory: string;
  jobs?: number | undefined;
  env: NodeJS.ProcessEnv;
  log: Log;
  progress: Progress;
  signal: AbortSignal;
}): Promise<{ part: ManifestPart; files: RecordedFiles }> {
  const { prepared, expectedBytes, backup, jobs, progress } = options;
  const { roots } = prepared.measured;
  const archived = await progress.step('Pack files', async (report) => {
    return await archiveFiles({
      watcher: { report, expectedBytes },
      recipients: backup.encrypt_to,
      ...options,
      ...prepared,
      exclude: backup.exclude,
      silenceMs: backup.silence,
      compression: parseCompression(backup.compression, jobs),
    });
  });
  return { part: archived.part, files: { roots, ...archived.problems } };
}
