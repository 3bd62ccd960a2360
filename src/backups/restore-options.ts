import type { Kysely } from 'kysely';
import type { AppControls } from '../app/app-controls.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { ConnectionSettings } from '../connection/settings.ts';
import type { Database } from '../database/tables.ts';
import type { Log, Progress } from '../log.ts';
import type { SecretRegistry } from '../redact.ts';
import type { BackupSet } from './backup-directory.ts';
import type { Identity } from './find-identity.ts';

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
  toolsDirectory: string | undefined;
  /** Where the dump is unpacked. */
  workDirectory: string;
  /** How many sessions load the dump at once. */
  jobs: number;
  /** Where the set's files go, as configured; without it only the database is restored. */
  files?: { backup: Pick<Config['backup'], 'files' | 'silence'>; baseDirectory: string } | undefined;
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
  /** The name under which the database that was replaced is kept. */
  keptAs: string | null;
  /** How long connecting to the database had to wait; null where nothing was replaced. */
  outageMs: number | null;
  /** Unfinished tasks of the backup that now wait for a person. */
  heldTasks: number;
  /** Files that were restored, each with the name under which the present ones are kept. */
  files: { path: string; keptAs: string }[];
}

/** What the two ways of ending add to the result. */
export type RestoreEnding = Pick<RestoreResult, 'keptAs' | 'outageMs' | 'heldTasks'>;
