import { TendError } from '../errors.ts';

/**
 * The error for connection settings that cannot be understood. `problem` must never quote a password, nor a piece of
 * a URL that may hold one: an `@` or `/` in an unencoded password moves the borders of everything after it.
 */
export function invalidSettings(origin: string, problem: string, hint?: string): TendError {
  return new TendError(
    'CONNECTION_SETTINGS_INVALID',
    `The database settings in ${origin} are invalid: ${problem}.`,
    {
      isPermanent: true,
      ...(hint === undefined ? {} : { hint }),
    },
  );
}
