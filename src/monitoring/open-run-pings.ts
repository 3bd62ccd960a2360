import type { Log } from '../log.ts';
import type { SecretRegistry } from '../redact.ts';
import { sendPing } from './send-ping.ts';

/** The pings of one run of a command. */
export interface RunPings {
  /** Tells the end, and waits for the answer: at most 10 s, or 2 s where the run was stopped by a signal. */
  finish(options: { exitCode: number; said: readonly string[]; isStopped: boolean }): Promise<void>;
}

const mostBodyBytes = 10_000;

/**
 * Tells a monitoring service that a run has begun. The run does not wait for it; what is still under way when the run ends
 * is given up, so that the events arrive in order. A ping that fails is a line of information and changes no exit code:
 * the service misses it by itself.
 */
export function openRunPings({
  url,
  runId,
  log,
  secrets,
}: {
  url: string;
  /** A UUID, which both events of the run have. */
  runId: string;
  log: Log;
  secrets: SecretRegistry;
}): RunPings {
  const begun = new AbortController();
  const start = sendPing({ url, event: 'start', runId, body: '', signal: begun.signal, attempts: 3 });
  return {
    async finish({ exitCode, said, isStopped }) {
      begun.abort();
      await start;
      const body = tailOf(said, secrets);
      const signal = AbortSignal.timeout(isStopped ? 2_000 : 10_000);
      const attempts = isStopped ? 1 : 3;
      const problem = await sendPing({ url, event: exitCode, runId, body, signal, attempts });
      if (problem !== undefined) log.info(`The monitoring service was not told of the end: ${problem}`);
    },
  };
}

/** The end of what was said, of whole characters, redacted once more: it leaves this host. */
function tailOf(said: readonly string[], secrets: SecretRegistry): string {
  const bytes = Buffer.from(secrets.redact(said.join('\n')), 'utf8');
  if (bytes.length <= mostBodyBytes) return bytes.toString('utf8');
  return secrets.redactTail(
    bytes
      .subarray(bytes.length - mostBodyBytes)
      .toString('utf8')
      .replace(/^\uFFFD+/, ''),
  );
}
