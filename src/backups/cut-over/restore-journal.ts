import { open, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { makeDirectory } from '../../make-directory.ts';
import { processIdentity } from '../../processes/process-identity.ts';
import { syncPath } from '../../sync-path.ts';
import { unwritable } from '../parts/unwritable.ts';
import {
  type JournalLine,
  journalSuffix,
  type RestoreFacts,
  type RestorePhase,
  type RestoreRecord,
} from './find-restores.ts';

interface JournalOptions {
  /** The task this is; null without a queue. */
  taskId: number | null;
  clock: Clock;
  log: Log;
}

/**
 * What a restore has done and is about to do, on disk before it is done: one line of JSON for each phase. It is found
 * again after a `kill -9` and a power cut, and without the database.
 */
export class RestoreJournal {
  readonly #options: JournalOptions;
  #record: RestoreRecord;
  #hasLines: boolean;

  private constructor(record: RestoreRecord, options: JournalOptions, hasLines: boolean) {
    this.#record = record;
    this.#options = options;
    this.#hasLines = hasLines;
  }

  /**
   * Begins the journal of a new restore; its first line is the phase `begun`.
   *
   * @throws TendError OUTPUT_UNWRITABLE.
   */
  static async begin(
    options: JournalOptions & { directory: string; facts: RestoreFacts },
  ): Promise<RestoreJournal> {
    const journal = RestoreJournal.of(options);
    try {
      await journal.write('begun');
    } catch (error) {
      throw unwritable(options.directory, error);
    }
    return journal;
  }

  /** Goes on with the journal of a restore that somebody else began. */
  static continue(record: RestoreRecord, options: JournalOptions): RestoreJournal {
    return new RestoreJournal(record, options, true);
  }

  /** A journal that has no line yet: of a restore that was begun where its journal does not reach. */
  static of(options: JournalOptions & { directory: string; facts: RestoreFacts }): RestoreJournal {
    const { directory, facts, taskId, clock } = options;
    const record: RestoreRecord = {
      path: join(directory, `${facts.id}${journalSuffix}`),
      facts,
      phase: 'begun',
      at: clock.now().toISOString(),
      host: hostname(),
      process: processIdentity(),
      taskIds: taskId === null ? [] : [taskId],
      rowsBefore: null,
    };
    return new RestoreJournal(record, options, false);
  }

  get record(): RestoreRecord {
    return this.#record;
  }

  /** Notes a phase, on disk when this returns. Where that fails, nothing must be done that relies on it. */
  async write(phase: RestorePhase, extra: Pick<JournalLine, 'rowsBefore'> = {}): Promise<void> {
    const { taskId, clock } = this.#options;
    const { path, rowsBefore, taskIds, facts } = this.#record;
    const at = clock.now().toISOString();
    const line: JournalLine = {
      ...{ at, phase, host: hostname(), process: processIdentity(), taskId },
      ...extra,
      ...(this.#hasLines ? {} : { facts }),
    };
    await append(path, JSON.stringify(line));
    this.#hasLines = true;
    this.#record = {
      ...this.#record,
      ...{ at, phase, host: line.host, process: line.process },
      taskIds: taskId === null ? taskIds : [...new Set([...taskIds, taskId])],
      rowsBefore: extra.rowsBefore ?? rowsBefore,
    };
  }

  /**
   * Notes a phase after the cut-over: what is under way must come to its end, on a full disk too. The names of the
   * databases and the marks on them still tell how far it is.
   */
  async note(phase: RestorePhase): Promise<void> {
    try {
      await this.write(phase);
    } catch (error) {
      this.#record = { ...this.#record, phase };
      const { path } = this.#record;
      this.#options.log.warn(`"${phase}" could not be noted in "${path}": ${toError(error).message}`);
    }
  }

  /** Of a restore that has changed nothing and left nothing. */
  async remove(): Promise<void> {
    await rm(this.#record.path, { force: true });
  }
}

async function append(path: string, line: string): Promise<void> {
  await makeDirectory(dirname(path));
  const handle = await open(path, 'a+', 0o600);
  try {
    // Behind a line that was cut off by a crash, which would spoil this one.
    const { size } = await handle.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    const isCutOff = size > 0 && last.toString() !== '\n';
    await handle.appendFile(`${isCutOff ? '\n' : ''}${line}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncPath(dirname(path));
}
