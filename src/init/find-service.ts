import { join } from 'node:path';
import type { Finding } from './finding.ts';
import { listDirectory, readIfReadable } from './list-directory.ts';

export interface FindServiceOptions {
  /** The application's folder, absolute. */
  folder: string;
  /** `/etc`, but for tests. */
  etc: string;
}

/** How the application is run. */
export interface FoundService {
  restart: Finding<string[]>;
  /** The command line it is started with, for the port that it listens on. */
  commandLine: string;
  file: string;
}

/**
 * Finds the systemd units and supervisor programs whose command or working directory is in the application's folder. Templates,
 * units that do one thing and end, and tend's own are none. systemd first, in the order of the names.
 */
export async function findServices(options: FindServiceOptions): Promise<FoundService[]> {
  return [...(await systemdServices(options)), ...(await supervisorPrograms(options))];
}

async function systemdServices({ folder, etc }: FindServiceOptions): Promise<FoundService[]> {
  const directory = join(etc, 'systemd/system');
  const found: FoundService[] = [];
  for (const name of await listDirectory(directory)) {
    if (!name.endsWith('.service') || name.includes('@')) continue;
    const file = join(directory, name);
    const text = joinedLines((await readIfReadable(file)) ?? '');
    const commandLine = settingOf(text, 'ExecStart');
    const places = [commandLine, settingOf(text, 'WorkingDirectory')];
    if (settingOf(text, 'Type') === 'oneshot' || commandLine.includes('run-due-tasks')) continue;
    if (!places.some((place) => isIn(place, folder))) continue;
    const value = ['systemctl', 'restart', name.slice(0, -'.service'.length)];
    const why = `${file} runs what is in this folder. As another user than root, systemctl needs a rule of polkit for this unit.`;
    found.push({ restart: { value, why }, commandLine, file });
  }
  return found;
}

async function supervisorPrograms({ folder, etc }: FindServiceOptions): Promise<FoundService[]> {
  const directory = join(etc, 'supervisor/conf.d');
  const found: FoundService[] = [];
  for (const fileName of await listDirectory(directory)) {
    if (!fileName.endsWith('.conf')) continue;
    const file = join(directory, fileName);
    const text = (await readIfReadable(file)) ?? '';
    for (const section of text.split(/^(?=\[)/m)) {
      const program = /^\[program:([^\]\s]+)\]/.exec(section)?.[1];
      const commandLine = settingOf(section, 'command');
      const places = [commandLine, settingOf(section, 'directory')];
      if (program === undefined || !places.some((place) => isIn(place, folder))) continue;
      const why = `[program:${program}] of ${file} runs what is in this folder.`;
      found.push({ restart: { value: ['supervisorctl', 'restart', program], why }, commandLine, file });
    }
  }
  return found;
}

function settingOf(text: string, name: string): string {
  return new RegExp(`^\\s*${name}\\s*=\\s*(.*?)\\s*$`, 'm').exec(text)?.[1] ?? '';
}

/** systemd.syntax(7): a backslash at the end of a line goes on with the next. */
function joinedLines(text: string): string {
  return text.replaceAll(/\\\n\s*/g, ' ');
}

/** The folder as a whole: /srv/cms is not in /srv/cms2. */
function isIn(text: string, folder: string): boolean {
  return text.split(/["'\s=]+/).some((word) => word === folder || word.startsWith(`${folder}/`));
}
