/** How messages on stderr are written. */
export type LogFormat = 'text' | 'json';

/** What every command accepts, in a form that needs no flag parser: a caller may fill it from any source. */
export interface GlobalFlags {
  /** Print the result, or the error, as one JSON object on stdout. */
  json: boolean;
  /** `--config FILE`. */
  config?: string | undefined;
  /** Errors only. */
  quiet: boolean;
  /** 0, 1 for `-v` (steps), 2 for `-vv` (everything, SQL included). */
  verbosity: number;
  noColor: boolean;
  /** `--log-format`; undefined leaves it to the environment and to `tend.toml`. */
  logFormat?: LogFormat | undefined;
}

/** The flags as they are when none is given. */
export const defaultGlobalFlags: GlobalFlags = { json: false, quiet: false, verbosity: 0, noColor: false };
