import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { giveTo } from '../support/initialise-cluster.ts';
import { unprivilegedUser } from '../support/unprivileged-user.ts';
import { findMembers, until } from './members.ts';
import { addMachine, createNetwork, type Machine } from './network.ts';
import { type PostgresNode, prepareNode } from './node.ts';
import { startEtcd } from './start-etcd.ts';
import { directory, logDirectory } from './start-on.ts';

/** Three machines, each with etcd, Patroni and a PostgreSQL; one of them leads when this resolves. */
export async function buildCluster(): Promise<PostgresNode[]> {
  await createNetwork();
  await mkdir(logDirectory, { recursive: true });
  await chmod(directory, 0o755);
  const machines: Machine[] = [];
  for (const [index, name] of ['n1', 'n2', 'n3'].entries()) {
    machines.push(await addMachine(name, 11 + index));
    await mkdir(join(directory, name));
    await giveTo(join(directory, name), unprivilegedUser());
  }
  startEtcd(machines);
  const nodes: PostgresNode[] = [];
  for (const machine of machines) nodes.push(await prepareNode(machine, machines));
  for (const node of nodes) node.startPatroni();
  await until('the first leader', 60_000, async () =>
    (await findMembers(machines)).find(({ role }) => role === 'leader'),
  );
  return nodes;
}
