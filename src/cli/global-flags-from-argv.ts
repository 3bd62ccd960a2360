import { defaultGlobalFlags, type GlobalFlags } from './global-flags.ts';

/**
 * The output flags read straight from the words of the command line, for reporting an error of the command line
 * itself. Words after `--` are arguments.
 */
export function globalFlagsFromArgv(argv: readonly string[]): GlobalFlags {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  const flags = { ...defaultGlobalFlags };
  for (const word of words) {
    if (word === '--json') flags.json = true;
    else if (word === '--no-color') flags.noColor = true;
    else if (word === '--quiet' || word === '-q') flags.quiet = true;
    else if (word === '--verbose') flags.verbosity += 1;
    else if (/^-v+$/.test(word)) flags.verbosity += word.length - 1;
  }
  return flags;
}
