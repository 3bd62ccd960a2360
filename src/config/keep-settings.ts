import * as v from 'valibot';
import { integer, section } from './setting-types.ts';

const count = v.optional(integer(0, 100_000));

/** `keep` of `[backup]` and of a remote: how many sets of each kind stay. */
export const keepSettings = section({ last: count, daily: count, weekly: count, monthly: count });
