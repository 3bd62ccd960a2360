/** How something calls `tend run-due-tasks` for one site: what every form of a crontab is made from. */
export interface TickCall {
  /** `cms`: names systemd's units and the CronJob. Lower-case letters, digits and `-`. */
  name: string;
  /** Absolute path of the site's tend.toml. */
  configPath: string;
  /** Absolute paths of Node and of tend's entry: cron's PATH finds neither. */
  program: readonly [node: string, entry: string];
  /** The operating system's user that ticks; undefined where nothing says which. */
  user: string | undefined;
  /** Who gets what a tick says; undefined: cron's own default, the user of the crontab. */
  mailTo: string | undefined;
  /** PATH of a tick: where the site's commands, `pg_dump` and the like are found. */
  searchPath: string;
  /** Absolute directories that ticks write to, for a service that may write nowhere else. */
  writablePaths: readonly string[];
}

/** The words of one tick. */
export function tickWords({ program, configPath }: TickCall): string[] {
  return [...program, 'run-due-tasks', '--config', configPath];
}
