import { custom } from '@oclif/core/args';
import { TendError } from '../errors.ts';

/** The argument ID: a whole number from 1. */
export const taskId = custom<number>({
  parse: async (input) => {
    if (/^[1-9]\d{0,14}$/.test(input)) return Number(input);
    throw new TendError('USAGE', `"${input}" is not a task id.`, { hint: 'tend tasks --all' });
  },
});
