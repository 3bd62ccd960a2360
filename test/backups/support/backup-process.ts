import { parse } from 'valibot';
import { createBackup } from '../../../src/backups/create/create-backup.ts';
import { systemClock } from '../../../src/clock.ts';
import { configSchema } from '../../../src/config/schema.ts';
import type { ConnectionSettings } from '../../../src/connection/settings.ts';
import { openDatabase } from '../../../src/database/open-database.ts';
import { progressToLog, silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';

// A process that takes a backup, to be killed: node backup-process.ts CONNECTION-AS-JSON BACKUP-SECTION-AS-JSON
const [, , settings = '', backup = ''] = process.argv;
const connection = JSON.parse(settings) as ConnectionSettings; // written by the test that starts this
const config = parse(configSchema, { backup: JSON.parse(backup) });
const secrets = new SecretRegistry();
const baseDirectory = process.cwd();
const db = openDatabase({ connection, applicationName: 'tend backup killed' });
await createBackup({
  config,
  baseDirectory,
  connection,
  db,
  label: null,
  taskId: null,
  includeFiles: 'yes',
  host: 'testhost',
  clock: systemClock,
  env: process.env,
  secrets,
  log: silentLog,
  progress: progressToLog(silentLog),
  signal: new AbortController().signal,
});
await db.destroy();
