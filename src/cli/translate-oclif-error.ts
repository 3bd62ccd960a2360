import { stripVTControlCharacters } from 'node:util';
import { TendError } from '../errors.ts';

/**
 * A mistake in the command line becomes USAGE with one line; only its message is kept, since oclif's parser errors
 * carry every flag with its value. Anything else passes unchanged.
 */
export function translateOclifError(error: Error, commandId: string): Error {
  if (error instanceof TendError) return withoutParserWords(error);
  if (!isOclifError(error)) return error;
  const message = stripVTControlCharacters(error.message)
    .replace(parserWords, '$1: $2')
    .replace(/\n?See more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/\s*\n\s*/g, '; ')
    .replace(/:; /g, ': ')
    .replace(/ {2,}/g, ' ');
  return new TendError('USAGE', message, { hint: `tend ${commandId} --help` });
}

/** What the parser puts around the message of an error that a flag's own `parse` threw. */
const parserWords = /^Parsing (--\S+) \n\t([\s\S]*)\nSee more help with --help$/;

/** The parser changes the message of our own errors too. */
function withoutParserWords(error: TendError): TendError {
  const { code, message, hint } = error;
  if (!parserWords.test(message)) return error;
  return new TendError(code, message.replace(parserWords, '$1: $2'), {
    cause: error.cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** oclif marks the errors it means for users with an `oclif` property that holds the exit code. */
function isOclifError(error: Error): boolean {
  return 'oclif' in error && typeof error.oclif === 'object';
}
