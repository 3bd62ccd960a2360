import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ip = async (...args: string[]): Promise<string> => (await run('ip', args)).stdout;

/** A machine of the test: a network namespace with one address, plugged into the bridge. */
export interface Machine {
  name: string;
  address: string;
  /** Takes its plug out, and puts it in again: nothing passes, and nobody is told. */
  unplug(): Promise<void>;
  plugIn(): Promise<void>;
  /** Processes that run there. */
  pids(): Promise<number[]>;
}

/** Where this process is: on the bridge itself. */
const ownAddress = '10.77.0.1';

/**
 * Makes the network: a bridge in the namespace of this process, which must be one of its own. `/run` becomes a file
 * system in memory, where `ip netns` keeps its names and the test its files.
 */
export async function createNetwork(): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', 'size=4g,mode=755', 'tmpfs', '/run']);
  await mkdir('/run/netns');
  await ip('link', 'set', 'lo', 'up');
  await ip('link', 'add', 'bridge', 'type', 'bridge');
  await ip('address', 'add', `${ownAddress}/24`, 'dev', 'bridge');
  await ip('link', 'set', 'bridge', 'up');
}

export async function addMachine(name: string, number: number): Promise<Machine> {
  const address = `10.77.0.${number}`;
  const plug = `plug-${name}`;
  const inside = async (...args: string[]) => await ip('-netns', name, ...args);
  await ip('netns', 'add', name);
  await ip('link', 'add', plug, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  await ip('link', 'set', plug, 'master', 'bridge', 'up');
  await inside('link', 'set', 'lo', 'up');
  await inside('address', 'add', `${address}/24`, 'dev', 'eth0');
  await inside('link', 'set', 'eth0', 'up');
  return {
    name,
    address,
    unplug: async () => void (await ip('link', 'set', plug, 'down')),
    plugIn: async () => void (await ip('link', 'set', plug, 'up')),
    pids: async () =>
      (await ip('netns', 'pids', name))
        .split('\n')
        .filter((line) => line !== '')
        .map(Number),
  };
}
