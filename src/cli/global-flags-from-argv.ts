import { defaultGlobalFlags, type GlobalFlags, type LogFormat } from './global-flags.ts';

/**
 * The output flags read straight from the words of the command line, for reporting an error of the command line
 * itself. Words after `--` are arguments.
 */
export function globalFlagsFromArgv(argv: readonly string[]): GlobalFlags {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  const flags = { ...defaultGlobalFlags };
  for (const [index, word] of words.entries()) {
    if (word === '--json') flags.json = true;
    else if (word === '--no-color') flags.noColor = true;
    else if (word === '--quiet' || word === '-q') flags.quiet = true;
    else if (word === '--verbose') flags.verbosity += 1;
    else if (word.startsWith('--log-format='))
      flags.logFormat = asLogFormat(word.slice('--log-format='.length));
    else if (word === '--log-format') flags.logFormat = asLogFormat(words[index + 1]);
    else if (/^-v+$/.test(word)) flags.verbosity += word.length - 1;
  }
  return flags;
}

/** Anything else is a mistake, which the parser of the command reports. */
function asLogFormat(word: string | undefined): LogFormat | undefined {
  return word === 'text' || word === 'json' ? word : undefined;
}
