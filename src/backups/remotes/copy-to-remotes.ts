import type { Clock } from '../../clock.ts';
import { type ErrorCode, TendError, toError } from '../../errors.ts';
import type { Log, Progress } from '../../log.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import { lockRemote } from '../sets/backup-lock.ts';
import { finishUploads } from './finish-uploads.ts';
import { type OpenRemoteOptions, openRemote } from './open-remote.ts';
import { uploadSet } from './upload-set.ts';

/** How copying to one remote ended; part of the JSON contract. */
export interface RemoteCopy {
  name: string;
  outcome: 'stored' | 'failed';
  /** What had to be sent. */
  bytes: number;
  durationMs: number;
  error?: { code: ErrorCode; message: string; hint: string | null };
}

export interface CopyToRemotesOptions extends Omit<OpenRemoteOptions, 'name'> {
  set: BackupSet;
  /** The backup directory, which holds the set. */
  directory: string;
  remotes: readonly string[];
  clock: Clock;
  log: Log;
  progress: Progress;
}

/**
 * Copies a complete set to remotes, one after the other; what one of them does not take does not keep it from the
 * others. Then uploads of older sets that were cut off are brought to their end.
 *
 * @returns a copy for each remote, and the errors of those that failed.
 */
export async function copyToRemotes(
  options: CopyToRemotesOptions,
): Promise<{ copies: RemoteCopy[]; failures: TendError[] }> {
  const { secrets, clock, log, signal } = options;
  const copies: RemoteCopy[] = [];
  const failures: TendError[] = [];
  for (const name of options.remotes) {
    const startedAt = clock.now().getTime();
    const durationMs = () => Math.max(0, clock.now().getTime() - startedAt);
    try {
      const bytes = await copyTo(options, name);
      copies.push({ name, outcome: 'stored', bytes, durationMs: durationMs() });
    } catch (thrown) {
      signal.throwIfAborted();
      const failure = asFailure(name, thrown);
      failures.push(failure);
      const { code, hint = null } = failure;
      const message = secrets.redact(failure.message);
      const error = { code, message, hint: hint === null ? null : secrets.redact(hint) };
      copies.push({ name, outcome: 'failed', bytes: 0, durationMs: durationMs(), error });
      log.info(`Not copied. ${message}${error.hint === null ? '' : ` ${error.hint}`}`);
    }
  }
  return { copies, failures };
}

async function copyTo(options: CopyToRemotesOptions, name: string): Promise<number> {
  const { set, directory, log, progress } = options;
  return await progress.step(`Copy ${set.id} to remote "${name}"`, async (report) => {
    using _lock = await lockRemote(directory, name);
    const store = await openRemote({ ...options, name });
    const sent = await uploadSet({ set, store, log, report });
    await finishUploads({ ...options, store, report });
    return sent;
  });
}

/** Whatever it was, the set itself is made, and nobody should make it again because of it. */
function asFailure(name: string, thrown: unknown): TendError {
  if (thrown instanceof TendError) return thrown;
  return new TendError('REMOTE_FAILED', `Remote "${name}": ${toError(thrown).message}.`, { cause: thrown });
}
