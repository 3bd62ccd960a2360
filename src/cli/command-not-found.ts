import type { Hook } from '@oclif/core/hooks';
import { reportCommandLine } from './report-command-line.ts';
import { unknownCommand } from './unknown-command.ts';

/**
 * Answers an unknown command with one line, the nearest name and exit code 64. Stands in for oclif's not-found
 * plugin, which asks on a terminal whether to run its guess and exits with 127, a shell's "program not found".
 */
const commandNotFound: Hook<'command_not_found'> = async function ({ id, argv, config }) {
  const error = unknownCommand({ id, commands: config.commands });
  this.exit(reportCommandLine({ error, argv: argv ?? [] }));
};

export default commandNotFound;
