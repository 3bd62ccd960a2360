import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';
import type { Status } from './find-status.ts';
import { findHistory } from './history/find-history.ts';
import { drawPage } from './html/page.ts';
import { writePage } from './write-page.ts';

export interface WriteReportOptions {
  db: Kysely<Database>;
  status: Status;
  /** Replaced as a whole. */
  path: string;
}

/** The status and what led to it, as a page. Throws OUTPUT_UNWRITABLE. */
export async function writeReport({ db, status, path }: WriteReportOptions): Promise<void> {
  await writePage({ path, page: drawPage({ status, history: await findHistory(db) }) });
}
