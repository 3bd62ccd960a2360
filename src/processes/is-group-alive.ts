import { readdirSync, readFileSync } from 'node:fs';

/**
 * Whether a process group has a living member. A dead one that its new parent has not collected yet (a container's
 * first process may take its time) still counts for kill(2), so on Linux /proc is asked for its state.
 */
export function isGroupAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  try {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.length === 0 || pids.some((pid) => isLivingMember(pid, group));
  } catch {
    return true;
  }
}

/** From /proc/PID/stat (proc(5)): the state is the first field after the name, the process group the third. */
function isLivingMember(pid: string, group: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return pgrp === String(group) && state !== 'Z' && state !== 'X';
  } catch {
    return false;
  }
}
