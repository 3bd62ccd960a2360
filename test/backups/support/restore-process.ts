import { appendFileSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { settleRestore } from '../../../src/backups/cut-over/settle-restore.ts';
import { restoreBackup } from '../../../src/backups/restore/restore-backup.ts';
import type { RestoreBackupOptions } from '../../../src/backups/restore/restore-options.ts';
import { findBackup } from '../../../src/backups/sets/backup-directory.ts';
import { restoreWithin } from '../../../src/backups/within/restore-within.ts';
import { systemClock } from '../../../src/clock.ts';
import type { ConnectionSettings } from '../../../src/connection/settings.ts';
import { openDatabase } from '../../../src/database/open-database.ts';
import { TendError } from '../../../src/errors.ts';
import { silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';

/** What the test that starts this process tells it, as JSON. */
export interface RestoreProcessOptions {
  connection: ConnectionSettings;
  /** The path of the set; the journals are beside it. */
  set: string;
  /** Takes back what a restore has left, instead of restoring. */
  undo?: boolean;
  /** Restores within the live database. */
  inPlace?: boolean;
  /** Restores into a new database. */
  into?: string;
  files: RestoreBackupOptions['files'];
  taskId: number | null;
  /** Where it waits to be killed: `before <step>`, `after <step>`; undefined does not wait. */
  stop?: string | undefined;
  /** A file: when it is there, what waits goes on. */
  goOn?: string;
  /** The application is not well with what it is restarted on first. */
  isIll?: boolean;
}

// A process that restores, to be killed: node restore-process.ts OPTIONS-AS-JSON
const given = JSON.parse(process.argv[2] ?? '') as RestoreProcessOptions; // written by the test that starts this
const { connection, stop, taskId } = given;
const db = openDatabase({ connection, applicationName: 'tend restore killed' });

/** Steps are where the product says what it does next; here they are also where it can be held. */
async function step<T>(title: string, work: (report: () => void) => Promise<T>): Promise<T> {
  await wait(`before ${title}`);
  const result = await work(() => undefined);
  await wait(`after ${title}`);
  return result;
}

async function wait(place: string): Promise<void> {
  if (stop === undefined || !place.startsWith(stop)) return;
  process.stdout.write('reached\n');
  while (given.goOn === undefined || !existsSync(given.goOn)) await pause(20);
}

let checks = 0;
const app = {
  restart: async () => {
    appendFileSync(join(given.set, '..', 'restarts'), 'restarted\n');
    return await Promise.resolve({ tookMs: 0 });
  },
  check: async () => {
    checks += 1;
    if (given.isIll === true && checks === 1) throw new TendError('APP_UNHEALTHY', 'The application is ill.');
    return await Promise.resolve({ tries: 1, tookMs: 0 });
  },
};

const options = {
  ...{ connection, db, applicationName: 'tend restore killed', app, taskId },
  ...{
    lockDirectory: undefined,
    toolsDirectory: undefined,
    journalDirectory: join(dirname(given.set), '.restores'),
    workDirectory: dirname(given.set),
  },
  ...{ keepReplacedMs: 7 * 86_400_000, clock: systemClock, env: process.env, secrets: new SecretRegistry() },
  ...{ log: silentLog, progress: { step }, signal: new AbortController().signal },
};
if (given.undo === true) {
  await settleRestore({ ...options, way: 'undo', restoreId: undefined });
} else {
  const set = await findBackup({ source: given.set, directory: undefined, baseDirectory: '/' });
  const { set: source, files } = given;
  const restoring = { ...options, jobs: 2, set, into: given.into, source, files };
  if (given.inPlace === true) await restoreWithin({ ...restoring, backUpFirst: undefined });
  else await restoreBackup(restoring);
}
await db.destroy();
