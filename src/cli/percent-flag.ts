import { custom } from '@oclif/core/flags';
import { TendError } from '../errors.ts';
import { parsePercent } from '../percent.ts';

/** A flag such as `5%`, as a number from 0 to 100. */
export const percent = custom<number>({
  helpValue: 'N%',
  parse: async (input) => {
    const number = parsePercent(input);
    if (number !== undefined) return number;
    throw new TendError('USAGE', `"${input}" is not a percentage.`, { hint: 'Write 5% or 2.5%.' });
  },
});
