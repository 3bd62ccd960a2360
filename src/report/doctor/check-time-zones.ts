import { findZoneDifferences } from '../../schedules/find-zone-differences.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** Node on this host and the server have the same rules for the time zones that schedules name. */
export const checkTimeZones: DoctorCheck = {
  name: 'time-zones',
  needs: 'identity',
  async run({ openDatabase }) {
    const differences = await findZoneDifferences(await openDatabase());
    if (differences.length === 0)
      return { status: 'ok', text: 'this host and the server agree on those of the schedules' };
    const which = differences.map(({ timezone, at }) =>
      at === null
        ? `${timezone} is not known to both`
        : `clocks in ${timezone} differ in the week from ${at.toISOString().slice(0, 10)}`,
    );
    return {
      status: 'warn',
      text: `this host and the server have other time zone data: ${which.join('; ')}`,
      fix: 'apt-get install --only-upgrade tzdata on the server, and a newer Node here',
    };
  },
};
