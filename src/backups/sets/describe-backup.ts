import { isEncrypted } from '../parts/find-identity.ts';
import type { BackupSet } from './backup-directory.ts';
import { totalRows } from './manifest.ts';

/** A set in a line: what a list shows of it. */
export interface BackupSummary {
  id: string;
  path: string;
  label: string | null;
  database: string;
  serverVersion: string;
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  bytes: number;
  tables: number;
  rows: number;
  isEncrypted: boolean;
  /** Whom it is encrypted to. */
  recipients: string[];
}

export function describeBackup({ id, path, manifest }: BackupSet): BackupSummary {
  const { label, database, startedAt, finishedAt, durationMs, parts, tables } = manifest;
  return {
    id,
    path,
    label,
    database: database.name,
    serverVersion: database.serverVersion,
    startedAt,
    finishedAt,
    durationMs,
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    tables: tables.length,
    rows: totalRows(tables),
    isEncrypted: isEncrypted(manifest),
    recipients: manifest.recipients,
  };
}
