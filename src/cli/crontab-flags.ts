import { string } from '@oclif/core/flags';
import { TendError } from '../errors.ts';

/** How the site's ticks are called, where it is not what `describeTickCall` finds. */
export const crontabFlags = {
  'run-as': string({
    summary: 'The user who ticks; as root, who owns tend.toml unless set.',
    helpValue: 'USER',
    parse: async (name: string) => matching(name, /^[A-Za-z_][\w.-]*\$?$/, '--run-as', 'a user name'),
  }),
  'mail-to': string({
    summary: 'Who gets what a tick says, by MAILTO; else [monitor] mail_to.',
    helpValue: 'ADDRESS',
    parse: async (address: string) =>
      matching(address, /^[^\s"'\\]+$/, '--mail-to', 'an address without quotes and blanks'),
  }),
};

/** Refuses what could not stand in a crontab, or would be more than one word there. */
export function matching(value: string, form: RegExp, flag: string, expected: string): string {
  if (form.test(value)) return value;
  throw new TendError('USAGE', `${flag} is ${JSON.stringify(value)}: ${expected} was expected.`);
}
