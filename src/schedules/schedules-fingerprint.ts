import type { Config } from '../config/schema.ts';
import { fingerprint } from '../fingerprint.ts';

export type ConfiguredSchedules = Config['schedules'];

/** Changes whenever what `tend.schedules` should hold for this host changes. */
export function schedulesFingerprint(schedules: ConfiguredSchedules): string {
  return fingerprint(scheduleRows(schedules));
}

/** What `tend.schedules` should hold of this host. */
export function scheduleRows(schedules: ConfiguredSchedules) {
  return Object.entries(schedules).map(([name, { max_late, host = null, ...schedule }]) => ({
    name,
    ...schedule,
    host,
    max_late_ms: max_late,
  }));
}
