import type { IncomingMessage } from 'node:http';

export interface SendPingOptions {
  /** The address of the check, without `/start` or an exit code. */
  url: string;
  /** `start`, or the exit code. */
  event: 'start' | number;
  /** The same UUID for both events of one run. */
  runId: string;
  /** What the command said; the service shows it beside the event. */
  body: string;
  /** Ends the attempts and the waiting between them. */
  signal: AbortSignal;
  attempts: number;
}

const attemptTimeoutMs = 5_000;
const pauseMs = 500;

/**
 * Tells a service such as healthchecks.io of a run, with its convention: `POST <url>/start?rid=…`, then
 * `POST <url>/<exit code>?rid=…` (https://healthchecks.io/docs/http_api/). Never throws: returns why it was not
 * delivered, without the address, or undefined. What the service refuses (4xx but 408 and 429) is not tried again.
 */
export async function sendPing(options: SendPingOptions): Promise<string | undefined> {
  const { signal, attempts } = options;
  let problem = 'no time was left';
  for (let attempt = 1; attempt <= attempts && !signal.aborted; attempt += 1) {
    if (attempt > 1) await pause(signal);
    try {
      const status = await post(options);
      if (status >= 200 && status < 300) return undefined;
      problem = `the answer was ${status}`;
      if (status < 500 && status !== 408 && status !== 429) return problem;
    } catch (error) {
      problem = codeOf(error);
    }
  }
  return problem;
}

/** The address of one event. A query of the address itself is kept. */
function pingAddress({ url, event, runId }: Pick<SendPingOptions, 'url' | 'event' | 'runId'>): URL {
  const address = new URL(url);
  address.pathname = `${address.pathname.replace(/\/+$/, '')}/${event}`;
  address.searchParams.set('rid', runId);
  return address;
}

async function post({ url, event, runId, body, signal }: SendPingOptions): Promise<number> {
  const address = pingAddress({ url, event, runId });
  const { request } = address.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const ask = request(address, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) },
      signal: AbortSignal.any([signal, AbortSignal.timeout(attemptTimeoutMs)]),
    });
    ask.on('response', resolve).on('error', reject).end(body);
  });
  response.on('error', () => {}).destroy();
  return response.statusCode ?? 0;
}

async function pause(signal: AbortSignal): Promise<void> {
  const { setTimeout } = await import('node:timers/promises');
  await setTimeout(pauseMs, undefined, { signal }).catch(() => {});
}

/** Node's messages may quote the address, which is a secret: the code says enough. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it failed';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.name;
}
