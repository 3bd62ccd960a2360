/** A line of a crontab that runs something, with what holds for it. */
export interface CrontabEntry {
  /** Counted from 0. */
  line: number;
  /** Undefined in a user's crontab, whose lines name none. */
  user: string | undefined;
  /** As the shell gets it: `\%` is `%`, and what stands behind a bare `%` is standard input. */
  command: string;
  /** Of the lines above: `PATH`, `MAILTO`, what the user has set. */
  settings: Record<string, string>;
}

const setting = /^\s*("[^"]*"|'[^']*'|[^\s="'#@*]+)\s*=\s*(.*?)\s*$/;
const entry = /^\s*(?:@\w+|(?:\S+\s+){4}\S+)\s+(.*)$/;
const userAndCommand = /^(\S+)\s+(.*)$/;

/**
 * Reads a crontab as cron(8) does (crontab(5)): settings hold for the lines below them. What cron would refuse is left
 * out.
 */
export function parseCrontab(text: string, { namesUser }: { namesUser: boolean }): CrontabEntry[] {
  const entries: CrontabEntry[] = [];
  const settings: Record<string, string> = {};
  for (const [line, content] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(content)) continue;
    const [, name, value] = setting.exec(content) ?? [];
    if (name !== undefined && value !== undefined) {
      settings[unquoted(name)] = unquoted(value);
      continue;
    }
    const rest = entry.exec(content)?.[1];
    if (rest === undefined) continue;
    const [, user, own] = namesUser ? (userAndCommand.exec(rest) ?? []) : ['', undefined, rest];
    if (own !== undefined) entries.push({ line, user, command: commandOf(own), settings: { ...settings } });
  }
  return entries;
}

function unquoted(text: string): string {
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text;
}

function commandOf(text: string): string {
  const command = /^(?:\\%|[^%])*/.exec(text)?.[0] ?? '';
  return command.replaceAll('\\%', '%');
}
