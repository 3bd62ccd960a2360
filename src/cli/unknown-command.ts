import { closestName } from '../closest-name.ts';
import { TendError } from '../errors.ts';

export interface UnknownCommandOptions {
  /** What was typed, with colons between its words. */
  id: string;
  /** The commands that help lists. */
  commands: readonly { id: string; hidden: boolean }[];
  /** Said before the nearest name: `help ` where help was asked for. */
  prefix?: 'help ';
}

/** USAGE with the nearest name as its hint. */
export function unknownCommand({ id, commands, prefix }: UnknownCommandOptions): TendError {
  const names = commands.filter(({ hidden }) => !hidden).map((command) => command.id);
  const guess = closestName(id, names)?.replaceAll(':', ' ');
  return new TendError('USAGE', `"${id.replaceAll(':', ' ')}" is not a command of tend`, {
    hint: guess === undefined ? 'tend --help' : `did you mean "tend ${prefix ?? ''}${guess}"?`,
  });
}
