import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { giveTo } from '../support/initialise-cluster.ts';
import { findPostgresBinaries } from '../support/postgres-binaries.ts';
import { unprivilegedUser } from '../support/unprivileged-user.ts';
import type { Machine } from './network.ts';
import { directory, startOn } from './start-on.ts';

/** A machine with a PostgreSQL that Patroni looks after. */
export interface PostgresNode {
  machine: Machine;
  startPatroni(): void;
  /** Patroni and every process of PostgreSQL, as a power cut would; etcd goes on. */
  kill(): Promise<void>;
}

export const superuserPassword = 'cluster-superuser';

/**
 * How soon Patroni takes a leader for lost: half of its own defaults, so that five fail-overs fit into the test.
 * `ttl` must be no less than `loop_wait` and two `retry_timeout`.
 */
const patroniTiming = { ttl: 15, loop_wait: 3, retry_timeout: 5 };

export async function prepareNode(machine: Machine, machines: readonly Machine[]): Promise<PostgresNode> {
  const home = join(directory, machine.name);
  const file = join(home, 'patroni.json');
  await writeFile(file, JSON.stringify(patroniSettings(machine, machines, home)));
  await giveTo(file, unprivilegedUser());
  await chmod(file, 0o600);
  return {
    machine,
    startPatroni: () => void startOn(machine, { program: '/usr/bin/patroni', args: [file], name: 'patroni' }),
    async kill() {
      for (const pid of await machine.pids()) {
        if (['patroni', 'postgres'].includes(nameOf(pid))) killOne(pid);
      }
    },
  };
}

/**
 * YAML, which JSON is. The section is `etcd`, version 2 of the API, and not `etcd3`: with that one Patroni 3.0.2, which
 * Debian 12 has, overwrites the leader key unconditionally (fixed in 3.0.3, patroni/patroni#2689). An old leader that
 * comes back from a network cut asks its own etcd, which is not up to date yet, takes itself for the leader, and
 * throws away what the new one has acknowledged. This test has seen it do so.
 */
function patroniSettings({ name, address }: Machine, machines: readonly Machine[], home: string): object {
  const replication = { username: 'replicator', password: 'cluster-replicator' };
  const superuser = { username: 'postgres', password: superuserPassword };
  return {
    scope: 'tend',
    name,
    restapi: { listen: `${address}:8008`, connect_address: `${address}:8008` },
    etcd: { hosts: machines.map((machine) => `${machine.address}:2379`) },
    bootstrap: {
      dcs: {
        ...patroniTiming,
        maximum_lag_on_failover: 1_048_576,
        synchronous_mode: true,
        postgresql: {
          use_slots: true,
          parameters: { max_connections: 100, wal_keep_size: '128MB', max_wal_size: '256MB' },
        },
      },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C' }, 'data-checksums'],
    },
    postgresql: {
      listen: `${address}:5432`,
      connect_address: `${address}:5432`,
      data_dir: join(home, 'data'),
      bin_dir: findPostgresBinaries(),
      pgpass: join(home, 'pgpass'),
      authentication: { superuser, replication },
      // A base backup of so little is quicker than pg_rewind, and has fewer ways to go wrong.
      use_pg_rewind: false,
      remove_data_directory_on_diverged_timelines: true,
      parameters: { unix_socket_directories: home, log_line_prefix: '%m [%p] %a ' },
      pg_hba: [
        'local all all trust',
        'host all all 10.77.0.0/24 scram-sha-256',
        'host replication replicator 10.77.0.0/24 scram-sha-256',
      ],
    },
  };
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

function killOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It went with its parent.
  }
}
