import { toError } from '../errors.ts';
import type { Syslog } from '../monitoring/open-syslog.ts';
import type { MessageLevel } from './message.ts';
import type { ProcessHost } from './process-host.ts';

/** Priorities of syslog(3). */
const priorities: Record<MessageLevel, number> = { error: 3, warning: 4, info: 6, debug: 7 };

/** Where `[monitor] syslog` sends messages besides stderr, or how it has stderr written. */
export interface SystemLog {
  /**
   * Where stderr is the journal, what each line begins with so that the journal knows its level (sd-daemon(3)); undefined
   * elsewhere.
   */
  prefixOf(level: MessageLevel): string | undefined;
  write(level: MessageLevel, lines: readonly string[]): void;
  /** Ends what `write` began, within 2 s, and says why the log did not take everything; undefined where nothing was written. */
  close(): Promise<string | undefined> | undefined;
}

/**
 * The local system log: the journal where stderr goes there anyway, else syslog through logger(1), which is started with
 * the first message. Undefined where none is configured.
 */
export function systemLogOf({
  facility,
  host,
}: {
  facility: string | undefined;
  host: ProcessHost;
}): SystemLog | undefined {
  if (facility === undefined) return undefined;
  if (isStderrTheJournal(host)) {
    return { prefixOf: (level) => `<${priorities[level]}>`, write() {}, close: () => undefined };
  }
  let opened: Promise<Syslog> | undefined;
  const open = async (): Promise<Syslog> => {
    try {
      const { openSyslog } = await import('../monitoring/open-syslog.ts');
      return openSyslog({ facility, env: host.env, cwd: host.cwd, pid: host.pid });
    } catch (error) {
      // it may have been replaced by another version meanwhile: no chore fails for its log
      return { write() {}, close: async () => toError(error).message };
    }
  };
  return {
    prefixOf: () => undefined,
    write(level, lines) {
      opened ??= open();
      void opened.then((syslog) => syslog.write(priorities[level], lines));
    },
    close: () => opened?.then(async (syslog) => await syslog.close()),
  };
}

/** systemd names the device and inode of the stream it has made (systemd.exec(5)); a redirected stderr is another. */
function isStderrTheJournal({ env, stderrIdentity }: ProcessHost): boolean {
  const { JOURNAL_STREAM } = env;
  return JOURNAL_STREAM !== undefined && JOURNAL_STREAM !== '' && JOURNAL_STREAM === stderrIdentity();
}
