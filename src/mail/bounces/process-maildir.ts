import { constants } from 'node:fs';
import { open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import { syncPath } from '../../sync-path.ts';
import { type ProcessedReport, processReport } from './process-report.ts';

export interface ProcessMaildirOptions {
  db: Kysely<Database>;
  /** Has `new` and `cur`. */
  directory: string;
  signal: AbortSignal;
}

export interface ProcessedFile extends ProcessedReport {
  /** Its name in `new`. */
  file: string;
}

/** A report stands at the front; what follows is our own message, which may be large. */
const readBytes = 2 * 1024 * 1024;

/**
 * Records what the new messages of a Maildir report, and files each that is recorded under `cur` as seen (`:2,S`): only
 * once the database has it, so that whatever is interrupted is done again, which changes nothing. All else stays in
 * `new` as it is.
 *
 * @throws TendError INPUT_MISSING where there is no Maildir or it cannot be read.
 */
export async function processMaildir(options: ProcessMaildirOptions): Promise<ProcessedFile[]> {
  const { db, directory, signal } = options;
  const processed: ProcessedFile[] = [];
  for (const file of await listNew(directory)) {
    if (signal.aborted) break;
    const raw = await readStart(join(directory, 'new', file));
    if (raw === undefined) continue;
    const report = await processReport({ db, raw });
    if (report.outcome === 'recorded') await fileAsSeen(directory, file);
    processed.push({ file, ...report });
  }
  return processed;
}

async function listNew(directory: string): Promise<string[]> {
  try {
    await readdir(join(directory, 'cur'));
    return (await readdir(join(directory, 'new'))).filter((name) => !name.startsWith('.')).sort();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TendError('INPUT_MISSING', `"${directory}" cannot be read as a Maildir: ${reason}`, {
      cause,
      hint: 'A Maildir has the directories "new", "cur" and "tmp", and this user must be able to write to them.',
    });
  }
}

/** Undefined for what is no file, or is gone: a mail program may work on the same Maildir. */
async function readStart(path: string): Promise<Buffer | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) return undefined;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(readBytes), 0, readBytes, 0);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    if (hasCode(cause, 'ENOENT', 'ELOOP', 'ENXIO')) return undefined;
    throw new TendError('INPUT_MISSING', `The message "${path}" cannot be read.`, { cause });
  }
}

async function fileAsSeen(directory: string, file: string): Promise<void> {
  const seen = `${file.replace(/:2,.*$/, '')}:2,S`;
  try {
    await rename(join(directory, 'new', file), join(directory, 'cur', seen));
    await syncPath(join(directory, 'cur'));
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return;
    throw new TendError('OUTPUT_UNWRITABLE', `The message "${file}" cannot be moved to "${directory}/cur".`, {
      cause,
    });
  }
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
