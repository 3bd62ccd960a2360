import { join } from 'node:path';
import type { Machine } from './network.ts';
import { directory, startOn } from './start-on.ts';

/** Starts one member of etcd on each machine; they find each other. */
export function startEtcd(machines: readonly Machine[]): void {
  const peers = machines.map(({ name, address }) => `${name}=http://${address}:2380`).join(',');
  for (const machine of machines) {
    const { name, address } = machine;
    const peer = `http://${address}:2380`;
    const client = `http://${address}:2379`;
    startOn(machine, {
      program: '/usr/bin/etcd',
      name: 'etcd',
      args: [
        ...['--name', name, '--data-dir', join(directory, name, 'etcd')],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
        ...['--listen-client-urls', client, '--advertise-client-urls', client],
        ...['--initial-cluster', peers, '--initial-cluster-state', 'new'],
        // Patroni speaks version 2 of the API here (see node.ts). A member that comes back must not force an election.
        ...['--enable-v2', '--pre-vote'],
        // Unhurried, since all of them share one small machine.
        ...['--heartbeat-interval', '200', '--election-timeout', '2000', '--log-level', 'warn'],
      ],
    });
  }
}
