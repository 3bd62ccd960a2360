import { TendError, toError } from '../../errors.ts';
import { longestReport, type ModuleEnding } from './module-report.ts';

const longestDelayMs = 366 * 24 * 3_600_000;

/**
 * What a thrown value says about its task. Errors of task authors are known by their name, since a module may have them
 * from another copy of this package, or made them itself.
 */
export function endingOfThrown(thrown: unknown): ModuleEnding {
  try {
    return endingOf(toError(thrown));
  } catch {
    // Anything can be thrown, also what cannot be looked at: a revoked proxy, a getter that throws.
    return failed('the module threw something that cannot be described', false);
  }
}

function endingOf(error: Error): ModuleEnding {
  if (error.name === 'Postpone') return postponed(error);
  const reason = textOf(error.message) || textOf(error.name);
  if (error.name === 'OutcomeUnknown') return { how: 'unknown', reason };
  return failed(reason, error.name === 'PermanentError' || (error instanceof TendError && error.isPermanent));
}

function postponed(error: Error & { delayMs?: unknown; reason?: unknown }): ModuleEnding {
  const { delayMs, reason = error.message } = error;
  if (typeof delayMs === 'number' && delayMs >= 0 && delayMs <= longestDelayMs) {
    return { how: 'postponed', delayMs, reason: textOf(reason) };
  }
  return failed(`Postpone needs delayMs, a number of milliseconds from 0 to ${longestDelayMs}`, true);
}

function failed(message: string, isPermanent: boolean): ModuleEnding {
  return { how: 'failed', message, isPermanent };
}

function textOf(value: unknown): string {
  return String(value).slice(0, longestReport.messageCharacters);
}
