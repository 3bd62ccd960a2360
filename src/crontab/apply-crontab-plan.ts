import { TendError } from '../errors.ts';
import type { CrontabPlan } from './plan-crontab.ts';

/**
 * Writes the planned crontab, unless somebody has changed it since it was read.
 *
 * @throws TendError OUTPUT_UNWRITABLE for one that changed meanwhile.
 */
export async function applyCrontabPlan({ place, before, after }: CrontabPlan): Promise<void> {
  if ((await place.read()) !== before) {
    throw new TendError('OUTPUT_UNWRITABLE', `Nothing was written: ${place.name} was changed meanwhile.`, {
      hint: 'Try it again.',
    });
  }
  await place.write(after);
}
