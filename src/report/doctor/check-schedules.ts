import { findScheduleProblem, findScheduleStates } from '../find-schedule-states.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** Every schedule that is enabled can be planned, is defined once, and keeps its time. */
export const checkSchedules: DoctorCheck = {
  name: 'schedules',
  needs: 'identity',
  async run({ openDatabase }) {
    const schedules = await findScheduleStates(await openDatabase());
    const broken = schedules.flatMap((schedule) => {
      const problem = findScheduleProblem(schedule);
      return problem === undefined ? [] : [{ name: schedule.name, text: `"${schedule.name}" ${problem}` }];
    });
    const [first] = broken;
    if (first !== undefined) {
      const text = broken.map((one) => one.text).join('; ');
      return { status: 'fail', text, fix: `tend schedules show ${first.name}` };
    }
    const enabled = schedules.filter(({ isEnabled }) => isEnabled).length;
    return { status: 'ok', text: `${enabled} of ${schedules.length} are enabled, and keep their time` };
  },
};
