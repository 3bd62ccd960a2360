import { custom } from '@oclif/core/flags';
import { parseDuration } from '../duration.ts';
import { TendError } from '../errors.ts';

/** A point in time, as a person gives it: from now on, or by the calendar. */
export type Moment = { inMs: number } | { at: Date };

/** A flag such as `2h` or `2026-12-24T18:00:00Z`; without a zone the time is that of this host. */
export const moment = custom<Moment>({
  helpValue: 'TIME',
  parse: async (input) => {
    const inMs = parseDuration(input);
    if (inMs !== undefined) return { inMs };
    const at = new Date(input);
    if (/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(input) && !Number.isNaN(at.getTime())) return { at };
    throw new TendError('USAGE', `"${input}" is not a time.`, {
      hint: 'Write a duration from now, such as 2h, or a time such as 2026-12-24T18:00:00+01:00.',
    });
  },
});

/** Milliseconds from now until then; 0 for what is past. */
export function untilMoment(moment: Moment, now: Date): number {
  return 'inMs' in moment ? moment.inMs : Math.max(0, moment.at.getTime() - now.getTime());
}
