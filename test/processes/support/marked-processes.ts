import { readdir, readFile } from 'node:fs/promises';

export interface MarkedProcess {
  pid: number;
  group: number;
  command: string;
}

/**
 * The live processes whose environment holds `mark`: a child and whatever it started inherit it. Zombies have no
 * environment any more, so the dead do not count although nobody has reaped them yet.
 */
export async function findMarkedProcesses(mark: string): Promise<MarkedProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await read(`/proc/${pid}/environ`);
      if (!environment.includes(mark)) return [];
      const command = (await read(`/proc/${pid}/cmdline`)).replaceAll('\0', ' ').trim();
      const stat = await read(`/proc/${pid}/stat`);
      const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
      return command === '' ? [] : [{ pid: Number(pid), group, command }];
    }),
  );
  return found.flat();
}

/** Command lines of those processes. */
export async function markedProcesses(mark: string): Promise<string[]> {
  return (await findMarkedProcesses(mark)).map(({ command }) => command);
}

async function read(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}
