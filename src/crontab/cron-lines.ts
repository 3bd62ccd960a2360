import { shellWord } from '../shell-word.ts';
import { type TickCall, tickWords } from './tick-call.ts';

/**
 * The lines of a file in /etc/cron.d. Its settings hold for what follows in the file, so each site sets all of them: of
 * two in one file neither has the other's.
 */
export function systemCrontabLines(call: TickCall): string[] {
  const user = call.user ?? 'root';
  return [
    'SHELL=/bin/sh',
    `PATH=${call.searchPath}`,
    `MAILTO=${quoted(call.mailTo ?? user)}`,
    `* * * * *  ${user}  ${escaped(tickWords(call).map(shellWord).join(' '))}`,
  ];
}

export interface UserCrontabContext {
  /** The lines above, whose settings hold here as well. */
  above: readonly string[];
}

/**
 * The lines for a user's crontab. PATH is given to the command alone, and MAILTO is set back after it: a setting would
 * hold for the other lines below, which are not ours. `env`, since SHELL may be any shell.
 */
export function userCrontabLines(call: TickCall, { above }: UserCrontabContext): string[] {
  const words = ['/usr/bin/env', `PATH=${call.searchPath}`, ...tickWords(call)];
  const entry = `* * * * *  ${escaped(words.map(shellWord).join(' '))}`;
  if (call.mailTo === undefined) return [entry];
  const setting = /^\s*(?:MAILTO|"MAILTO"|'MAILTO')\s*=\s*(.*?)\s*$/;
  const before = above.map((line) => setting.exec(line)?.[1]).findLast((value) => value !== undefined);
  const after = before ?? quoted(call.user ?? '');
  return [`MAILTO=${quoted(call.mailTo)}`, entry, `MAILTO=${after}`];
}

/** cron takes a bare `%` as the end of the command, quoted or not. */
function escaped(command: string): string {
  return command.replaceAll('%', '\\%');
}

/** cron strips blanks around a value that is not quoted, and takes none at all for `MAILTO=`. */
function quoted(value: string): string {
  return /^[\w@.,+-]+$/.test(value) ? value : `"${value}"`;
}
