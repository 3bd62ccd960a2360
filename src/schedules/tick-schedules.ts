import type { Log } from '../log.ts';
import type { TickBeginning, TickDatabase } from '../tasks/begin-tick.ts';
import { noOccurrences, type TickSchedules } from '../tasks/run-tick.ts';
import { type ConfiguredSchedules, schedulesFingerprint } from './schedules-fingerprint.ts';

/**
 * What a tick does about schedules. Costs nothing where tend.toml is as it was at the last tick and no occurrence is due:
 * the tick's first statement has told so, and what plans occurrences is not even loaded.
 */
export function tickSchedules(options: {
  openDatabase: TickDatabase['openDatabase'];
  schedules: ConfiguredSchedules;
  host: string;
  log: Log;
}): TickSchedules {
  const { schedules, host, log } = options;
  const isChanged = ({ schedulesFingerprint: known }: TickBeginning) =>
    known !== schedulesFingerprint(schedules);
  return {
    isDue: (beginning) => beginning.isScheduleDue || isChanged(beginning),
    async run(beginning) {
      if (!this.isDue(beginning)) return noOccurrences;
      const db = await options.openDatabase();
      if (isChanged(beginning)) {
        const { syncSchedules } = await import('./sync-schedules.ts');
        for (const name of await syncSchedules({ db, schedules, host })) {
          const why = 'the application made one of the same name (tend.schedule)';
          log.warn(`Schedule "${name}" of tend.toml is not used: ${why}.`);
        }
      }
      const { materialiseOccurrences } = await import('./materialise-occurrences.ts');
      return await materialiseOccurrences({ db, now: beginning.now, log });
    },
  };
}
