import { resolve } from 'node:path';
import { boolean, string } from '@oclif/core/flags';
import { crontabFile } from '../crontab/crontab-file.ts';
import type { CrontabPlace } from '../crontab/crontab-place.ts';
import { userCrontab } from '../crontab/user-crontab.ts';
import type { Asking } from './ask-yes.ts';
import type { CommandContext } from './command-context.ts';
import { crontabFlags } from './crontab-flags.ts';

/** Which crontab is changed, and whether anybody is asked. */
export const crontabPlaceFlags = {
  file: string({
    summary: 'A file of /etc/cron.d, instead of the user’s crontab.',
    helpValue: 'FILE',
  }),
  'run-as': crontabFlags['run-as'],
  yes: boolean({ char: 'y', summary: 'Ask nothing.' }),
  'dry-run': boolean({ summary: 'Show what would change, and change nothing.', exclusive: ['yes'] }),
};

export interface PlaceOptions {
  flags: { file?: string | undefined; 'run-as'?: string | undefined; yes: boolean; json: boolean };
  context: CommandContext;
  osUser: string | undefined;
}

/** The crontab that the flags name. */
export function placeOfFlags({ flags, context, osUser }: PlaceOptions): CrontabPlace {
  const { cwd, env, signal } = context;
  if (flags.file !== undefined) return crontabFile(resolve(cwd, flags.file));
  return userCrontab({ user: flags['run-as'], osUser, env, signal });
}

/** Questions go to stderr: stdout is the diff. */
export function askingOfFlags({ flags, context }: PlaceOptions): Asking {
  const { yes: isAgreed, json } = flags;
  const terminal = { input: process.stdin, output: process.stderr };
  return { isAgreed, mayAsk: !json, hasDryRun: true, ...terminal, signal: context.signal };
}
