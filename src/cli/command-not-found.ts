import type { Hook } from '@oclif/core/hooks';
import { closestName } from '../closest-name.ts';
import { TendError } from '../errors.ts';
import { SecretRegistry } from '../redact.ts';
import { globalFlagsFromArgv } from './global-flags-from-argv.ts';
import { createMessageWriter } from './message-writer.ts';
import { systemHost } from './process-host.ts';
import { reportError } from './report-error.ts';

/**
 * Answers an unknown command with one line, the nearest name and exit code 64. Stands in for oclif's not-found
 * plugin, which asks on a terminal whether to run its guess and exits with 127, a shell's "program not found".
 */
const commandNotFound: Hook<'command_not_found'> = async function ({ id, argv, config }) {
  const words = id.replaceAll(':', ' ');
  const names = config.commands.filter((command) => !command.hidden).map((command) => command.id);
  const guess = closestName(id, names)?.replaceAll(':', ' ');
  const host = systemHost();
  const flags = globalFlagsFromArgv(argv ?? []);
  const secrets = new SecretRegistry();
  const code = reportError({
    error: new TendError('USAGE', `"${words}" is not a command of tend`, {
      hint: guess === undefined ? 'tend --help' : `did you mean "tend ${guess}"?`,
    }),
    host,
    flags,
    secrets,
    writer: createMessageWriter({ host, flags, secrets, commandId: undefined }),
  });
  this.exit(code);
};

export default commandNotFound;
