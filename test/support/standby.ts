import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Cluster, startWith } from './cluster.ts';
import type { ClusterOptions } from './initialise-cluster.ts';
import { queryCluster } from './query-cluster.ts';
import { asUser, type ClusterPlace, serverEnvironment } from './server-process.ts';

const run = promisify(execFile);

/** A server that receives everything another one writes, until it is promoted. */
export interface Standby extends Cluster {
  /** Makes it a primary; resolves when it takes writes. */
  promote(): Promise<void>;
}

/**
 * Starts a streaming standby of `primary`, which from then on acknowledges a commit only when the standby has it. The
 * primary needs `synchronous_commit = on`, which the suite's servers do without.
 */
export async function startStandby(primary: Cluster, options: ClusterOptions): Promise<Standby> {
  const { superuser, password } = primary;
  const standby = await startWith({ ...options, superuser, password }, async (place) => {
    await copyServer(primary, place);
  });
  await queryCluster(primary, "alter system set synchronous_standby_names = '*'");
  await queryCluster(primary, 'select pg_reload_conf()');
  while (
    (await queryCluster(primary, `select from pg_stat_replication where sync_state = 'sync'`)).length === 0
  ) {
    await sleep(20);
  }
  return {
    ...standby,
    get pid() {
      return standby.pid;
    },
    async promote() {
      await queryCluster(standby, 'select pg_promote()');
    },
  };
}

/** A copy of the data directory that asks its original for what comes after. */
async function copyServer(primary: Cluster, place: ClusterPlace): Promise<void> {
  const [file, args] = asUser(place.user, join(place.binaries, 'pg_basebackup'), [
    `--pgdata=${place.dataDirectory}`,
    `--host=${primary.socketDirectory}`,
    `--port=${primary.port}`,
    `--username=${primary.superuser}`,
    '--write-recovery-conf',
    '--checkpoint=fast',
    '--no-sync',
  ]);
  await run(file, args, { cwd: '/', env: serverEnvironment() });
}
