import type { LogFacts } from '../log.ts';
import type { SecretRegistry } from '../redact.ts';
import { colorPaint, isColorOn, type Paint, plainPaint } from './colors.ts';
import { type Column, formatAlignedTable, formatTabbedTable } from './format-table.ts';
import type { GlobalFlags } from './global-flags.ts';
import type { MessageWriter } from './message-writer.ts';
import type { OutputStream, ProcessHost } from './process-host.ts';

/** Where a command's result goes. Everything passes the redaction; under `--json` only the JSON object is written. */
export interface Output {
  /** A line of the result on stdout; nothing under `--json`. */
  print(line: string): void;
  /** A table on stdout: aligned on a terminal, tab-separated (header included) when piped. */
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void;
  /**
   * The one line that tells a person what was done ("Backup 20261122T0230 made, 1.2 GB"): on a terminal, in CI or
   * with -v. Otherwise silent, so that cron has nothing to mail after a success. With JSON logs it is one of them.
   */
  summary(line: string, facts?: LogFacts): void;
  /** A line on stderr, unless `--quiet`. */
  warn(line: string, facts?: LogFacts): void;
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
  writer: MessageWriter;
}

export function createOutput({ host, flags, secrets, writer }: CreateOutputOptions): Output {
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
    summary(line, facts) {
      const isWanted = isTerminal || flags.verbosity > 0 || (env.CI !== undefined && env.CI !== '');
      if (!isWanted || flags.quiet) return;
      const message = writer.compose({ level: 'info', text: line, facts });
      if (writer.format === 'json') return writer.tell(message);
      print(line);
      writer.tellSystemLog(message);
    },
    warn(line, facts) {
      const message = writer.compose({ level: 'warning', text: line, facts });
      if (flags.quiet) return;
      writer.remember(message);
      writer.tell(message);
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
