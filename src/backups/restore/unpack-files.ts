import { chmod, lstat, mkdir, rename, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { runTool } from '../../processes/run-tool.ts';
import { ToolError } from '../../processes/tool-error.ts';
import { FanOut } from '../parts/fan-out.ts';
import type { Identity } from '../parts/find-identity.ts';
import { readPart } from '../parts/read-part.ts';
import { runTogether } from '../parts/run-together.ts';
import { unwritable } from '../parts/unwritable.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import { filesPart } from '../sets/manifest.ts';
import { findTar } from '../tools/find-tar.ts';
import { unpackArguments } from '../tools/tar-arguments.ts';
import { unfinishedSuffix } from './fresh-files.ts';
import type { PlannedFiles } from './plan-files.ts';
import { syncFileSystem } from './sync-file-system.ts';

export interface UnpackFilesOptions {
  set: BackupSet;
  /** Opens an encrypted set. */
  identity?: Identity | undefined;
  files: readonly PlannedFiles[];
  /** See `readPart`. */
  report?: (detail: string) => void;
  /** How long tar may neither read nor write. */
  silenceMs?: number | undefined;
  env: NodeJS.ProcessEnv;
  log: Log;
  signal: AbortSignal;
}

/**
 * Unpacks the files of a set beside the live ones: each `fresh` of the plan appears when it is complete and on disk.
 * The archive is read once, by one tar for each. What ends it earlier leaves files that `removeFresh` removes.
 *
 * @throws TendError BACKUP_DAMAGED, OUTPUT_UNWRITABLE, and RESTORE_REFUSED for what tar does not unpack, such as a member
 *   that leads out of the directory.
 */
export async function unpackFiles(options: UnpackFilesOptions): Promise<void> {
  const { set, files, env, signal } = options;
  const part = filesPart(set.manifest);
  if (part === undefined || files.length === 0) return;
  const tar = await findTar({ env, signal });
  for (const { fresh } of files) await makeDirectory(fresh + unfinishedSuffix);

  const archives = files.map((planned) => ({ planned, archive: new PassThrough() }));
  const target = new FanOut(archives.map(({ archive }) => archive));
  const failures: unknown[] = [];
  await runTogether({
    signal,
    joints: archives.map(({ archive }) => archive),
    members: [
      // To the end also when a tar has failed: that the archive is damaged says more than what tar made of it.
      async (stop) => await readPart({ ...options, part, target, signal: stop }),
      ...archives.map(({ planned, archive }) => async (stop: AbortSignal) => {
        await unpack({ ...options, planned, archive, tar, signal: stop }).catch((error: unknown) => {
          failures.push(error);
        });
      }),
    ],
  });
  if (failures.length > 0) throw failures[0];
  for (const planned of files) await finish(planned);
  for (const { fresh } of files) await syncFileSystem({ ...options, path: fresh });
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    throw unwritable(path, error);
  }
}

async function unpack(
  options: UnpackFilesOptions & { planned: PlannedFiles; archive: PassThrough; tar: string },
): Promise<void> {
  const { planned, archive, tar, silenceMs, env, log, signal } = options;
  const { member, fresh, live } = planned;
  try {
    await runTool({
      file: tar,
      args: unpackArguments({ member, directory: fresh + unfinishedSuffix }),
      baseEnv: env,
      env: { LC_ALL: 'C' },
      input: archive,
      ...(silenceMs !== undefined && { silenceMs }),
      log,
      signal,
    });
  } catch (error) {
    if (!(error instanceof ToolError) || error.code !== 'TOOL_FAILED') throw error;
    throw notUnpacked(live, error);
  }
}

/** The first line says what went wrong, the last only that something did. */
function notUnpacked(live: string, cause: ToolError): TendError {
  const lines = cause.outputTail
    .split('\n')
    .filter((line) => /: (Cannot |Member name|Skipping|Unexpected)/.test(line));
  const said = (lines[0] ?? cause.message).replace(/^\S*tar: /, '');
  const message = `The files of "${live}" could not be unpacked: ${said}.`;
  if (/No space left|quota exceeded/.test(cause.outputTail))
    return new TendError('OUTPUT_UNWRITABLE', message, { cause, hint: `Make room: df -h ${live}` });
  return new TendError('RESTORE_REFUSED', message, {
    cause,
    ...(cause.details !== undefined && { details: cause.details }),
    isPermanent: true,
    hint: 'Nothing was changed. For the database alone: the same command with --no-files',
  });
}

/** A directory that its owner may not write to is moved all the same, and is what it was. */
async function finish({ fresh, live, member }: PlannedFiles): Promise<void> {
  const directory = fresh + unfinishedSuffix;
  const unpacked = join(directory, basename(member));
  try {
    const found = await lstat(unpacked);
    const isClosed = found.isDirectory() && (found.mode & 0o200) === 0;
    if (isClosed) await chmod(unpacked, found.mode | 0o200);
    await rename(unpacked, fresh);
    if (isClosed) await chmod(fresh, found.mode);
    await rmdir(directory);
  } catch (error) {
    throw unwritable(live, error);
  }
}
