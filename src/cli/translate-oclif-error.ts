import { stripVTControlCharacters } from 'node:util';
import { TendError } from '../errors.ts';

/**
 * A mistake in the command line becomes USAGE with one line; only its message is kept, since oclif's parser errors
 * carry every flag with its value. Anything else passes unchanged.
 */
export function translateOclifError(error: Error, commandId: string): Error {
  if (error instanceof TendError || !isOclifError(error)) return error;
  const message = stripVTControlCharacters(error.message)
    .replace(/\n?See more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/\s*\n\s*/g, '; ')
    .replace(/:; /g, ': ')
    .replace(/ {2,}/g, ' ');
  return new TendError('USAGE', message, { hint: `tend ${commandId} --help` });
}

/** oclif marks the errors it means for users with an `oclif` property that holds the exit code. */
function isOclifError(error: Error): boolean {
  return 'oclif' in error && typeof error.oclif === 'object';
}
