import { custom } from '@oclif/core/flags';
import { parseDuration } from '../duration.ts';
import { TendError } from '../errors.ts';

/** A flag such as `90s`, `10m` or `7d`, as milliseconds. */
export const duration = custom<number>({
  helpValue: 'DURATION',
  parse: async (input) => {
    const ms = parseDuration(input);
    if (ms !== undefined) return ms;
    throw new TendError('USAGE', `"${input}" is not a duration.`, { hint: 'Write 90s, 10m, 6h or 7d.' });
  },
});
