/**
 * What is known about a message besides its words. Text shows the words alone; a JSON log has these as keys, which are
 * never renamed.
 */
export interface LogFacts {
  taskId?: number;
  /** Of the task. */
  kind?: string;
  attempt?: number;
  /** Of the task, as it is now. */
  state?: string;
  durationMs?: number;
  /** One of the stable error codes. */
  code?: string;
  exitCode?: number;
  hint?: string;
}

/**
 * What a function of `src/` may say while it works. It never prints: the caller decides whether a line goes to a
 * terminal, to the buffered log shown on failure, or to a task's output tail.
 */
export interface Log {
  debug(message: string, facts?: LogFacts): void;
  info(message: string, facts?: LogFacts): void;
  warn(message: string, facts?: LogFacts): void;
}

/** Named steps of something long; shown live on a terminal, buffered otherwise. */
export interface Progress {
  /** Runs `work` as the step `title`; `report` replaces the detail shown beside it. Errors pass through. */
  step<T>(title: string, work: (report: (detail: string) => void) => Promise<T>): Promise<T>;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {} };

/** Steps that leave one line each in `log`: for tasks, tests and everything that is not a terminal. */
export function progressToLog(log: Log): Progress {
  return {
    async step(title, work) {
      log.info(title);
      return await work((detail) => log.debug(`${title}: ${detail}`));
    },
  };
}
