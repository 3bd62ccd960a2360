import { custom } from '@oclif/core/args';
import { TendError } from '../errors.ts';

/** The argument PID: a whole number from 1. */
export const sessionPid = custom<number>({
  parse: async (input) => {
    if (/^[1-9]\d{0,9}$/.test(input) && Number(input) < 2 ** 31) return Number(input);
    throw new TendError('USAGE', `"${input}" is not the pid of a session.`, { hint: 'tend connections' });
  },
});
