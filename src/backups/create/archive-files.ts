import type { Log } from '../../log.ts';
import { runTool } from '../../processes/run-tool.ts';
import { ToolError } from '../../processes/tool-error.ts';
import type { Compression } from '../parts/compression.ts';
import type { BytesReport } from '../parts/report-bytes.ts';
import { writePart } from '../parts/write-part.ts';
import type { ManifestPart } from '../sets/manifest.ts';
import { packArguments } from '../tools/tar-arguments.ts';
import { type FileProblems, listenToTar, type NamedFiles } from '../tools/tar-messages.ts';
import type { MeasuredFiles } from './measure-files.ts';

export interface ArchiveFilesOptions {
  measured: MeasuredFiles;
  exclude: readonly string[];
  /** The real path of the backup directory. */
  backupDirectory: string;
  /** The set that is being made. */
  directory: string;
  compression: Compression;
  /** See `writePart`. */
  watcher?: BytesReport | undefined;
  /** See `writePart`. */
  recipients: readonly string[];
  /** Path of GNU tar. */
  tar: string;
  silenceMs: number;
  env: NodeJS.ProcessEnv;
  log: Log;
  signal: AbortSignal;
}

export interface ArchivedFiles {
  part: ManifestPart;
  problems: FileProblems;
}

/**
 * Packs `[backup] files` into one part, while the application goes on working in them: what changes or goes under
 * tar's hands, and what it may not read, is named, and the rest is packed.
 *
 * @throws TendError TOOL_FAILED where tar gave up, or packed nothing at all.
 */
export async function archiveFiles(options: ArchiveFilesOptions): Promise<ArchivedFiles> {
  const { measured, tar, silenceMs, env } = options;
  const { log, problems } = listenToTar(options.log);
  const part = await writePart({
    ...options,
    name: 'files.tar',
    holds: 'files',
    produce: async (stdout, signal) => {
      const { exitCode, outputTail } = await runTool({
        file: tar,
        args: ['--create', '--file=-', ...packArguments({ ...options, ...measured })],
        baseEnv: env,
        env: { LC_ALL: 'C' },
        stdout,
        okExitCodes: [0, 1, 2],
        silenceMs,
        log,
        signal,
      });
      // 2 is both "some files could not be read, and the rest is there" and "gave up".
      const hasGivenUp = outputTail.trimEnd().endsWith('Error is not recoverable: exiting now');
      if (exitCode < 2 || (problems.unreadable.count > 0 && !hasGivenUp)) return;
      throw new ToolError('TOOL_FAILED', `"tar" failed with exit code ${exitCode}.`, {
        exitCode,
        outputTail,
      });
    },
  });
  warn(options.log, problems);
  return { part, problems };
}

function warn(log: Log, { unreadable, changed }: FileProblems): void {
  if (unreadable.count > 0) log.warn(`Not in the set, since unreadable: ${listed(unreadable)}`);
  if (changed.count > 0) log.warn(`Changed or removed while it was read: ${listed(changed)}`);
}

function listed({ count, names }: NamedFiles): string {
  const shown = names.slice(0, 5).map((name) => JSON.stringify(name));
  return shown.join(', ') + (count > shown.length ? ` and ${count - shown.length} more` : '');
}
