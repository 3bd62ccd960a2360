import { writeFile } from 'node:fs/promises';
import type { ArchiveEntry } from '../archive/archive-toc.ts';
import { databaseArgument, type LoadArchiveOptions } from '../restore/load-archive.ts';
import { runPostgresTool } from '../tools/run-postgres-tool.ts';
import { withStallLimit } from '../tools/stall-limit.ts';
import { toolEnvironment } from '../tools/tool-environment.ts';
import { withoutChatter } from '../tools/tool-log.ts';
import { watchServer } from '../tools/watch-server.ts';
import { type BlockedOptions, withLockWait } from './watch-blocked.ts';

export type LoadWithinOptions = Omit<LoadArchiveOptions, 'jobs' | 'set'> &
  BlockedOptions & {
    archivePath: string;
    /** What is loaded; see `selectEntries`. */
    entries: readonly ArchiveEntry[];
  };

const stallLimitMs = 5 * 60_000;

/**
 * Loads entries of an archive over what is in a database, in one transaction: nobody sees it half done, and whatever ends it
 * leaves everything as it was. It locks every table that it replaces until the end.
 *
 * @throws TendError TOOL_FAILED, TOOL_TIMED_OUT, DATABASE_BUSY.
 */
export async function loadWithin(options: LoadWithinOptions): Promise<void> {
  const { connection, database, maintenance, pgRestore, serverOptions, archivePath, entries } = options;
  const { env, secrets, log } = options;
  const list = `${archivePath}.list`;
  await writeFile(list, entries.map(({ id }) => `${id};\n`).join(''), { mode: 0o600 });
  const limit = {
    name: 'pg_restore',
    limitMs: options.stallLimitMs ?? stallLimitMs,
    isBusy: watchServer(maintenance, database),
  };
  await withLockWait(options, async () => {
    await withStallLimit({ ...limit, signal: options.signal }, async (signal, noteProgress) => {
      const noting = { ...log, debug: (line: string) => (noteProgress(), log.debug(line)) };
      await runPostgresTool({
        file: pgRestore.path,
        args: [
          ...['--single-transaction', '--exit-on-error', '--clean', '--if-exists', `--use-list=${list}`],
          ...['--no-subscriptions', '--no-password', '--verbose', databaseArgument(database), archivePath],
        ],
        baseEnv: env,
        env: toolEnvironment({ connection, database, tool: 'pg_restore', serverOptions }),
        ...{ secrets, log: withoutChatter(noting), signal },
      });
    });
  });
}
