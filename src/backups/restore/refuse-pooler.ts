import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Clock } from '../../clock.ts';
import { type ConnectionSettings, describeConnection } from '../../connection/settings.ts';
import { TendError } from '../../errors.ts';
import { openMaintenanceDatabase } from './maintenance-database.ts';

interface RefusePoolerOptions {
  connection: ConnectionSettings;
  applicationName: string;
  clock: Clock;
}

/** A session that was closed is gone in milliseconds; a loaded server is given time. */
const patienceMs = 5000;
const pollMs = 50;

/**
 * Stops where a pooler stands before the server. It keeps sessions to every database it was asked for, and a database
 * with a session cannot be renamed: a restore would fail in its last step, after hours, and send everybody away for it.
 *
 * What is looked at is the very thing that is in the way, whatever the pooler's name: a session of ours that lives on
 * after it was closed.
 *
 * @throws TendError DATABASE_BUSY.
 */
export async function refusePooler(options: RefusePoolerOptions): Promise<void> {
  const { connection, clock } = options;
  const closed = await pidOfClosedSession(options);
  await using maintenance = await openMaintenanceDatabase(options);
  const giveUpAtMs = clock.monotonicMs() + patienceMs;
  for (;;) {
    const { rows } = await sql<{ isOurs: boolean; isThere: boolean }>`
      select pg_catalog.pg_backend_pid() = ${closed} as "isOurs",
             exists (select from pg_catalog.pg_stat_activity where pid = ${closed}) as "isThere"`.execute(
      maintenance,
    );
    if (rows[0]?.isThere !== true) return;
    if (rows[0].isOurs || clock.monotonicMs() > giveUpAtMs) break;
    await pause(pollMs);
  }
  throw new TendError(
    'DATABASE_BUSY',
    `Database ${describeConnection(connection)} is behind a pooler, and nothing is restored through one: the sessions it keeps are in the way.`,
    {
      isPermanent: true,
      hint: 'Nothing was changed. Connect to the server itself: TEND_DATABASE_URL=postgresql://USER@SERVER/DATABASE tend restore',
    },
  );
}

async function pidOfClosedSession(options: RefusePoolerOptions): Promise<number> {
  await using maintenance = await openMaintenanceDatabase(options);
  const { rows } = await sql<{ pid: number }>`select pg_catalog.pg_backend_pid() as pid`.execute(maintenance);
  return rows[0]?.pid ?? 0;
}
