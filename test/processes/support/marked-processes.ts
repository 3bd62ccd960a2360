import { readdir, readFile } from 'node:fs/promises';

/**
 * Command lines of the live processes whose environment holds `mark`: a child and whatever it started inherit it.
 * Zombies have no environment any more, so the dead do not count although nobody has reaped them yet.
 */
export async function markedProcesses(mark: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      if (!environment.includes(mark)) return [];
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return command === '' ? [] : [command.replaceAll('\0', ' ').trim()];
    }),
  );
  return found.flat();
}
