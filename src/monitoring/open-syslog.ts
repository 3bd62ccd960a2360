import { PassThrough } from 'node:stream';
import { toError } from '../errors.ts';
import { runTool } from '../processes/run-tool.ts';

/** What waits for a daemon that does not read is given up beyond this. */
const mostWaitingBytes = 4_000_000;
/** How long the end of a run may wait for the daemon. */
const lastWordsMs = 2_000;

/** The numbers of syslog(3), by the names that logger(1) knows. */
const facilityNumbers: Readonly<Record<string, number>> = {
  ...{ user: 1, daemon: 3, cron: 9, local0: 16, local1: 17, local2: 18, local3: 19 },
  ...{ local4: 20, local5: 21, local6: 22, local7: 23 },
};

/** The syslog daemon of this host, for one run. */
export interface Syslog {
  /** Each line is a message. */
  write(priority: number, lines: readonly string[]): void;
  /** Waits at most 2 s until all of it is handed over. Never throws: returns why something was not. */
  close(): Promise<string | undefined>;
}

export interface OpenSyslogOptions {
  facility: string;
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** What the messages are signed with: `tend[4711]`. */
  pid: number;
}

/**
 * Starts logger(1) of util-linux, which knows the socket and the form of the local daemon (RFC 3164), and gives it
 * messages on its standard input as they come: in its arguments everybody could read them. Should tend be killed, it ends
 * too.
 */
export function openSyslog({ facility, env, cwd, pid }: OpenSyslogOptions): Syslog {
  const input = new PassThrough();
  const giveUp = new AbortController();
  let problem: string | undefined;
  const ended = runTool({
    file: 'logger',
    args: [
      ...['--tag', 'tend', `--id=${pid}`, '--priority', `${facility}.notice`, '--prio-prefix'],
      ...['--size', '128KiB', '--socket-errors=on'],
    ],
    baseEnv: env,
    cwd,
    input,
    signal: giveUp.signal,
    graceMs: 100,
  }).then(
    () => undefined,
    (error: unknown) => {
      input.destroy();
      return toError(error).message;
    },
  );
  const base = (facilityNumbers[facility] ?? 1) * 8;
  return {
    write(priority, lines) {
      if (!input.writable) return;
      for (const line of lines) {
        if (input.writableLength + line.length > mostWaitingBytes)
          problem = 'it does not take what it is given';
        else input.write(`<${base + priority}>${line}\n`);
      }
    },
    async close() {
      const timer = setTimeout(() => {
        problem ??= `it did not take it within ${lastWordsMs / 1000} s`;
        giveUp.abort();
      }, lastWordsMs);
      input.end();
      const failure = await ended;
      clearTimeout(timer);
      return problem ?? failure;
    },
  };
}
