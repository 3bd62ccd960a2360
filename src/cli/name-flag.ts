import { custom } from '@oclif/core/flags';
import { TendError } from '../errors.ts';

/** A flag that names something: an empty value is what a shell makes of a variable that is not set. */
export const nameFlag = custom({
  helpValue: 'NAME',
  parse: async (input, _context, { name }) => {
    if (input.trim() !== '') return await Promise.resolve(input);
    throw new TendError('USAGE', 'a name was expected, not an empty text.', {
      hint: `Write --${name} NAME; is a variable of the shell empty?`,
    });
  },
});
