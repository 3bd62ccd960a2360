import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { TendError } from '../../errors.ts';
import type { DirectFile } from '../../processes/direct-file.ts';
import { findPostgresProgram } from '../tools/find-postgres-program.ts';
import { tarProblem } from './check-tar.ts';
import { damagedArchive, type ForeignArchive, openArchive } from './foreign-archive.ts';
import { readWithPgRestore } from './read-with-pg-restore.ts';
import type { ReadyArchive, ReadyArchiveOptions } from './ready-archive.ts';
import { unpackArchive } from './unpack-archive.ts';
import { makeWorkArea } from './work-area.ts';

/**
 * Reads an archive that tend did not make from beginning to end, and unwraps it into the work directory where it is
 * wrapped. There is no hash to compare with: what `pg_restore` and the compression inside do not notice, nobody does.
 *
 * @throws TendError BACKUP_DAMAGED, OUTPUT_UNWRITABLE, TOOL_NOT_FOUND.
 */
export async function readyForeign(
  options: ReadyArchiveOptions & { archive: ForeignArchive },
): Promise<ReadyArchive> {
  const { archive, signal } = options;
  if (archive.toc.head.format === 'tar') {
    const problem = await tarProblem(archive.path);
    if (problem !== undefined) throw damagedArchive(archive.path, problem);
  }
  await using stack = new AsyncDisposableStack();
  let { path } = archive;
  if (archive.wrapping !== 'none') {
    const area = stack.use(await makeWorkArea(options.workDirectory));
    path = join(area.path, 'database.dump');
    await unpackArchive({
      read: async (target, stop) => await unwrap(archive, target, stop),
      path,
      damaged: (why) => damagedArchive(archive.path, why),
      signal,
    });
  }
  await readWhole(options, path);
  const kept = stack.move();
  return { path, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}

async function unwrap(archive: ForeignArchive, target: DirectFile, signal: AbortSignal): Promise<void> {
  try {
    await pipeline(openArchive(archive), target.createWriteStream(), { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw damagedArchive(archive.path, error instanceof Error ? error.message : 'it cannot be read', error);
  }
}

async function readWhole(
  options: ReadyArchiveOptions & { archive: ForeignArchive },
  path: string,
): Promise<void> {
  const { archive, serverMajor: major, toolsDirectory, silenceMs, env, log, signal } = options;
  const pgRestore = await findPostgresProgram({ name: 'pg_restore', major, toolsDirectory, env, signal });
  try {
    await readWithPgRestore({
      ...{ pgRestore, input: path, env, log, signal },
      ...(silenceMs !== undefined && { silenceMs }),
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TendError && error.code === 'TOOL_FAILED') {
      throw damagedArchive(archive.path, error.message, error);
    }
    throw error;
  }
}
