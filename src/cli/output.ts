import type { SecretRegistry } from '../redact.ts';
import { colorPaint, isColorOn, type Paint, plainPaint } from './colors.ts';
import { type Column, formatAlignedTable, formatTabbedTable } from './format-table.ts';
import type { GlobalFlags } from './global-flags.ts';
import type { OutputStream, ProcessHost } from './process-host.ts';

/** Where a command's result goes. Everything passes the redaction; under `--json` only the JSON object is written. */
export interface Output {
  /** A line of the result on stdout; nothing under `--json`. */
  print(line: string): void;
  /** A table on stdout: aligned on a terminal, tab-separated (header included) when piped. */
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void;
  /**
   * The one line that tells a person what was done ("Backup 20261122T0230 made, 1.2 GB"): on a terminal, in CI or
   * with -v. Otherwise silent, so that cron has nothing to mail after a success.
   */
  summary(line: string): void;
  /** A line on stderr, unless `--quiet`. */
  warn(line: string): void;
  /** Colours for `print`, where stdout takes them. */
  paint: Paint;
  /** Whether stdout is a terminal. */
  readonly isTerminal: boolean;
  readonly isQuiet: boolean;
}

export interface CreateOutputOptions {
  host: ProcessHost;
  flags: GlobalFlags;
  secrets: SecretRegistry;
  /** Writes one whole line to stderr, around whatever progress is shown there. */
  writeToStderr: (line: string) => void;
}

export function createOutput({ host, flags, secrets, writeToStderr }: CreateOutputOptions): Output {
  const { stdout, env } = host;
  const isTerminal = stdout.isTTY === true;
  const paint = isColorOn({ stream: stdout, env, noColor: flags.noColor }) ? colorPaint : plainPaint;
  const print = (line: string): void => {
    if (!flags.json) stdout.write(`${secrets.redact(line)}\n`);
  };
  return {
    print,
    table(columns, rows) {
      const lines = isTerminal
        ? formatAlignedTable({ columns, rows, width: widthOf(stdout), paint })
        : formatTabbedTable({ columns, rows });
      for (const line of lines) print(line);
    },
    summary(line) {
      const isWanted = isTerminal || flags.verbosity > 0 || (env.CI !== undefined && env.CI !== '');
      if (isWanted && !flags.quiet) print(line);
    },
    warn(line) {
      if (!flags.quiet) writeToStderr(`warning: ${secrets.redact(line)}`);
    },
    paint,
    isTerminal,
    isQuiet: flags.quiet,
  };
}

/** A terminal that nobody told its size (`script`, a serial line) reports 0 columns. */
function widthOf({ columns }: OutputStream): number {
  return columns === undefined || columns < 1 ? 80 : columns;
}
