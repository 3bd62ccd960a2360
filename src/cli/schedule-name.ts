import { string } from '@oclif/core/args';

/** The argument NAME of the commands on one schedule. */
export function scheduleName() {
  return string({ description: 'Name of the schedule.', required: true });
}
