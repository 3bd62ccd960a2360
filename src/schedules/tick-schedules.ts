import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';
import type { Log } from '../log.ts';
import { noOccurrences, type TickSchedules } from '../tasks/run-tick.ts';
import { type ConfiguredSchedules, schedulesFingerprint, syncSchedules } from './sync-schedules.ts';

/**
 * What a tick does about schedules. Costs nothing where tend.toml is as it was at the last tick and no occurrence is due:
 * the tick's first statement has told so, and what plans occurrences is not even loaded.
 */
export function tickSchedules(options: {
  db: Kysely<Database>;
  schedules: ConfiguredSchedules;
  host: string;
  log: Log;
}): TickSchedules {
  const { db, schedules, host, log } = options;
  return {
    async run({ schedulesFingerprint: known, isScheduleDue, now }) {
      const isChanged = known !== schedulesFingerprint(schedules);
      if (!isChanged && !isScheduleDue) return noOccurrences;
      if (isChanged) {
        for (const name of await syncSchedules({ db, schedules, host })) {
          const why = 'the application made one of the same name (tend.schedule)';
          log.warn(`Schedule "${name}" of tend.toml is not used: ${why}.`);
        }
      }
      const { materialiseOccurrences } = await import('./materialise-occurrences.ts');
      return await materialiseOccurrences({ db, now, log });
    },
  };
}
