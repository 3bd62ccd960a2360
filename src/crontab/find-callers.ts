import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from '../processes/is-installed.ts';
import { findOwner } from './find-owner.ts';
import { type FindTickLinesOptions, findTickLines, type TickLine } from './find-tick-lines.ts';

/** What calls the ticks of a site on this host, as far as it can be seen. */
export interface Callers {
  lines: TickLine[];
  /** A service of systemd, by its file. */
  unit: string | undefined;
  /** There is a cron that could. */
  hasCron: boolean;
}

export interface FindCallersOptions extends Omit<FindTickLinesOptions, 'owner'> {
  /** /etc/systemd/system unless told. */
  unitDirectory?: string;
}

/** Looks for the tick in crontabs and among systemd's services. Changes nothing. */
export async function findCallers(options: FindCallersOptions): Promise<Callers> {
  const { configPath, env, unitDirectory = '/etc/systemd/system' } = options;
  return {
    lines: await findTickLines({ ...options, owner: findOwner(configPath) }),
    unit: findUnit(unitDirectory, configPath),
    hasCron: isInstalled('crontab', env) || ['/usr/sbin/cron', '/usr/sbin/crond'].some(existsSync),
  };
}

/** By the words of `tend crontab --systemd`: a unit that was written otherwise is not known as one. */
function findUnit(directory: string, configPath: string): string | undefined {
  try {
    const files = readdirSync(directory).filter((name) => name.endsWith('.service'));
    return files
      .map((name) => join(directory, name))
      .find((path) => {
        const text = readFileSync(path, 'utf8');
        return text.includes('run-due-tasks') && text.includes(configPath);
      });
  } catch {
    return undefined;
  }
}
