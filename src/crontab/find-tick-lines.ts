import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { TendError } from '../errors.ts';
import { isInCrontabBlock } from './crontab-block.ts';
import type { CrontabPlace } from './crontab-place.ts';
import { findAccount } from './find-account.ts';
import { type CrontabEntry, parseCrontab } from './parse-crontab.ts';
import { configOfTick, directoryOfTick } from './probe-command.ts';
import { userCrontab } from './user-crontab.ts';

/** A line of this host's crontabs that runs the ticks of a site. */
export interface TickLine {
  /** As messages name it: `the crontab of cms`, `/etc/cron.d/tend`. */
  place: string;
  /** Its file, where it is one of a directory such as /etc/cron.d. */
  file: string | undefined;
  /** Who runs it. */
  user: string;
  /** `tend crontab install` has put it there. */
  isInstalled: boolean;
  entry: CrontabEntry;
}

export interface FindTickLinesOptions {
  configPath: string;
  /** Who we run as; only root may read the crontabs of others. */
  osUser: string | undefined;
  /** Whose crontab is read as well, where we may: who owns the site. */
  owner: string | undefined;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** /etc/cron.d unless told. */
  systemDirectory?: string;
}

/**
 * The lines that run this site's ticks: in the crontabs of who we are and of who owns the site, and in /etc/cron.d. A
 * line is this site's by `--config`, TEND_CONFIG, `cd`, or by the home of its user. What cannot be read has none.
 */
export async function findTickLines(options: FindTickLinesOptions): Promise<TickLine[]> {
  const { configPath, osUser, owner, systemDirectory = '/etc/cron.d' } = options;
  const found: TickLine[] = [];
  const users = [undefined, ...(osUser === 'root' && owner !== undefined && owner !== 'root' ? [owner] : [])];
  for (const user of users) {
    const place = userCrontab({ ...options, user });
    const text = await readIfAllowed(place);
    found.push(...linesOf({ text, place: place.name, file: undefined, user: user ?? osUser, configPath }));
  }
  for (const file of filesOf(systemDirectory)) {
    const text = textOf(file);
    found.push(...linesOf({ text, place: file, file, user: undefined, configPath }));
  }
  return found;
}

function linesOf(options: {
  text: string;
  place: string;
  file: string | undefined;
  user: string | undefined;
  configPath: string;
}): TickLine[] {
  const { text, place, file, configPath } = options;
  return parseCrontab(text, { namesUser: file !== undefined }).flatMap((entry) => {
    const user = entry.user ?? options.user ?? '';
    if (!isTickOf(configPath, entry, user)) return [];
    return [{ place, file, user, isInstalled: isInCrontabBlock(text, configPath, entry.line), entry }];
  });
}

function isTickOf(configPath: string, { command, settings }: CrontabEntry, user: string): boolean {
  if (!/(^|\s)run-due-tasks(\s|$)/.test(command)) return false;
  const home = settings['HOME'] ?? findAccount(user)?.home ?? '/';
  const directory = resolve(home, directoryOfTick(command) ?? '.');
  const named = configOfTick(command) ?? settings['TEND_CONFIG'];
  if (named !== undefined) return resolve(directory, named) === configPath;
  const base = dirname(configPath);
  return directory === base || directory.startsWith(`${base}/`);
}

async function readIfAllowed(place: CrontabPlace): Promise<string> {
  try {
    return await place.read();
  } catch (error) {
    if (error instanceof TendError && /^TOOL_(NOT_FOUND|FAILED)$/.test(error.code)) return '';
    throw error;
  }
}

/** Those that cron reads: see `crontabFile`. */
function filesOf(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => /^[A-Za-z0-9_-]+$/.test(name));
    return names.sort().map((name) => join(directory, name));
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
