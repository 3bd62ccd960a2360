import type { Kysely } from 'kysely';
import type { AppControls } from '../../app/app-controls.ts';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config/schema.ts';
import type { ConnectionSettings } from '../../connection/settings.ts';
import type { Database } from '../../database/tables.ts';
import type { Log, Progress } from '../../log.ts';
import type { SecretRegistry } from '../../redact.ts';
import type { Identity } from '../parts/find-identity.ts';
import type { BackupSet } from '../sets/backup-directory.ts';

export interface RestoreBackupOptions {
  set: BackupSet;
  /** Opens an encrypted set. */
  identity?: Identity | undefined;
  /** Of the live database; also says where the server is. */
  connection: ConnectionSettings;
  /** The handle on the live database; not used where that database does not exist. */
  db: Kysely<Database>;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** A new database to restore into; without it the live one is replaced. */
  into: string | undefined;
  /** How to restart and check the application after the cut-over; empty for neither. */
  app: AppControls;
  /** The backup directory, locked while the restore works; undefined where none is configured. */
  lockDirectory: string | undefined;
  /** Where the journals of restores are: see `findRestoreDirectory`. */
  journalDirectory: string;
  /** What the set was asked for by; null where a restore that was killed cannot be begun anew. */
  source: string | null;
  /** The task this is; null without a queue. */
  taskId: number | null;
  /** `[backup] keep_replaced`: how long what was replaced is kept. */
  keepReplacedMs: number;
  toolsDirectory: string | undefined;
  /** Where the dump is unpacked. */
  workDirectory: string;
  /** How many sessions load the dump at once. */
  jobs: number;
  /** Where the set's files go, as configured; without it only the database is restored. */
  files?: { backup: Pick<Config['backup'], 'files' | 'silence'>; baseDirectory: string } | undefined;
  /** How long the loading may stand still. */
  stallLimitMs?: number;
  clock: Clock;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  log: Log;
  /** Named steps, for a person who watches. */
  progress: Progress;
  signal: AbortSignal;
}

/** How a restore ended. */
export interface RestoreResult {
  backupId: string;
  /** The database that now holds what was backed up. */
  database: string;
  tables: number;
  rows: number;
  /** False for an archive that tend did not make: no manifest says what must be there. */
  compared: boolean;
  /** The name under which the database that was replaced is kept. */
  keptAs: string | null;
  /** How long connecting to the database had to wait; null where nothing was replaced. */
  outageMs: number | null;
  /** Unfinished tasks of the backup that now wait for a person. */
  heldTasks: number;
  /** Files that were restored, each with the name under which the present ones are kept. */
  files: { path: string; keptAs: string }[];
  /** Of the restore, for `--undo`. */
  restoreId: string;
  /** When the backup's snapshot was taken: it holds what was committed before. Null in sets of earlier versions. */
  snapshotAt: string | null;
  /** When nobody could write to the replaced database any more; null where nothing was replaced. */
  cutOverAt: string | null;
  /** See the function of this name. */
  laterTransactions: number | null;
  /** In place: the set of the live database that was taken before. */
  savedAs?: string | null;
}

/** What the two ways of ending add to the result. */
export type RestoreEnding = Pick<
  RestoreResult,
  'keptAs' | 'outageMs' | 'heldTasks' | 'cutOverAt' | 'laterTransactions'
>;
