/**
 * Every exit code `tend` uses, with its meaning: the one table behind `help exit-codes`, the docs and the tests.
 * Numbers from 64 on are those of sysexits(3), which systemd and cron tooling know by name.
 */
export const exitCodes = {
  ok: { code: 0, meaning: 'done, or nothing to do' },
  failed: { code: 1, meaning: 'failed, or rolled back: everything is as before' },
  needsPerson: { code: 2, meaning: 'failed and could not be put back: a person must act now' },
  someFailed: { code: 3, meaning: 'finished, but some items failed' },
  pending: { code: 4, meaning: 'something is pending, or drift was found' },
  usage: { code: 64, meaning: 'wrong usage: unknown flag, missing or bad argument' },
  badData: { code: 65, meaning: 'bad input data' },
  missingInput: { code: 66, meaning: 'an input does not exist or cannot be read' },
  unreachable: { code: 69, meaning: 'database, mail server or application unreachable' },
  bug: { code: 70, meaning: 'a bug in tend' },
  cannotWrite: { code: 73, meaning: 'an output cannot be written (disk full, read-only)' },
  busy: { code: 75, meaning: 'busy, try again later' },
  permission: { code: 77, meaning: 'permission denied, or wrong password' },
  config: { code: 78, meaning: 'the configuration is wrong, or the database schema does not match' },
  hungUp: { code: 129, meaning: 'stopped by SIGHUP (terminal closed)' },
  interrupted: { code: 130, meaning: 'stopped by SIGINT (Ctrl-C)' },
  terminated: { code: 143, meaning: 'stopped by SIGTERM' },
} as const;

/** Name of a row of the exit-code table. */
export type ExitCodeName = keyof typeof exitCodes;
