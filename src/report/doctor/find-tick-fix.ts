import { basename } from 'node:path';
import { findCallers } from '../../crontab/find-callers.ts';
import type { DoctorFacts } from './doctor-check.ts';

/** What has a host tick: here by what this host's crontabs hold, elsewhere by what `tend doctor` says there. */
export async function findTickFix(facts: DoctorFacts, hosts: readonly string[]): Promise<string> {
  const { host, loadedConfig, program } = facts;
  const [elsewhere] = hosts;
  if (!hosts.includes(host) && elsewhere !== undefined) return `On host "${elsewhere}": tend doctor`;
  const { configPath, baseDirectory } = loadedConfig;
  if (configPath === undefined)
    return `A line for cron on this host: * * * * *  cd ${baseDirectory} && tend run-due-tasks`;
  const { lines, unit, hasCron } = await findCallers({ ...facts, ...program, configPath });
  const [line] = lines;
  if (line !== undefined)
    return `systemctl status cron: ${line.place} calls tend, and the check cron-environment tries that line`;
  if (unit !== undefined) return `systemctl status '${basename(unit).replace('@.', '@*.')}'`;
  return hasCron ? 'tend crontab install' : 'tend crontab --systemd  # there is no cron on this host';
}
