import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import { formatDuration } from '../duration.ts';
import { TendError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { SecretRegistry } from '../redact.ts';
import { askCommand } from './ask-command.ts';
import { askUrl } from './ask-url.ts';

/** `[app] check` of the configuration. */
export type AppCheck = NonNullable<Config['app']['check']>;

export interface CheckAppOptions {
  check: AppCheck;
  /** Where a check command runs. */
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** Replaces `within` of the configuration. */
  withinMs?: number;
}

export interface AppHealth {
  /** How often the application was asked, good and bad answers together. */
  tries: number;
  tookMs: number;
}

/** One answer: undefined when it was good, else why it was not. */
export type Answer = string | undefined;

const oneTryMs = 10_000;
/** Of the last try, which begins when the time is over. */
const shortestTryMs = 1000;
const pauseAfterGoodMs = 250;
const firstPauseMs = 100;
const longestPauseMs = 2000;

/**
 * Asks the application whether it is healthy until `steady` good answers came in a row, for at most `within`. A
 * single bad answer starts the count anew: an application that answers once and then falls over is not healthy.
 *
 * @throws TendError APP_UNHEALTHY with the last reason, when the time is over.
 */
export async function checkApp(options: CheckAppOptions): Promise<AppHealth> {
  const { check, clock, log, signal } = options;
  const withinMs = options.withinMs ?? check.within;
  const startedMs = clock.monotonicMs();
  const passedMs = () => clock.monotonicMs() - startedMs;
  let tries = 0;
  let good = 0;
  let pauseMs = firstPauseMs;
  let lastReason: string | undefined;
  for (;;) {
    const restMs = Math.max(withinMs - passedMs(), 0);
    const reason = await ask(
      options,
      tries === 0 ? oneTryMs : Math.min(oneTryMs, Math.max(restMs, shortestTryMs)),
    );
    signal.throwIfAborted();
    tries += 1;
    good = reason === undefined ? good + 1 : 0;
    if (good >= check.steady) return { tries, tookMs: passedMs() };
    if (reason !== undefined && reason !== lastReason)
      log.debug(`The application is not healthy yet: ${reason}`);
    lastReason = reason ?? lastReason;
    const leftMs = withinMs - passedMs();
    if (leftMs <= 0) throw unhealthy({ check, tries, good, tookMs: passedMs(), lastReason });
    // what is left may be less than a pause: the application is asked one last time when the time is over
    await pause(Math.min(reason === undefined ? pauseAfterGoodMs : pauseMs, leftMs), undefined, { signal });
    if (reason !== undefined) pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

async function ask(options: CheckAppOptions, timeoutMs: number): Promise<Answer> {
  const { check, baseDirectory, env, secrets, signal } = options;
  if (check.url !== undefined) {
    return await askUrl({
      url: check.url,
      status: check.status,
      contains: check.contains,
      timeoutMs,
      signal,
    });
  }
  if (check.command !== undefined) {
    return await askCommand({ command: check.command, baseDirectory, env, secrets, timeoutMs, signal });
  }
  throw new TendError(
    'APP_NOT_CONFIGURED',
    'The application cannot be checked: [app] check has neither url nor command.',
    {
      hint: 'Set [app] check = { url = "http://127.0.0.1:8000/health" } in tend.toml.',
      isPermanent: true,
    },
  );
}

interface Verdict {
  check: AppCheck;
  tries: number;
  good: number;
  tookMs: number;
  lastReason: string | undefined;
}

function unhealthy({ check, tries, good, tookMs, lastReason }: Verdict): TendError {
  const reason = lastReason ?? `only ${good} of ${check.steady} good answers in a row came in time`;
  const tried = tries === 1 ? 'tried once' : `tried ${tries} times in ${formatDuration(tookMs)}`;
  return new TendError('APP_UNHEALTHY', `The application is not healthy: ${reason} (${tried}).`, {
    hint: 'Look at the log of the application, then: tend app check',
  });
}
