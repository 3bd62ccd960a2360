import { applyCrontabPlan } from '../crontab/apply-crontab-plan.ts';
import type { CrontabPlan } from '../crontab/plan-crontab.ts';
import { type Asking, askYes } from './ask-yes.ts';
import type { CommandOutcome } from './command-context.ts';
import type { Output } from './output.ts';

export interface ChangeCrontabOptions {
  plan: CrontabPlan;
  /** oclif leaves a flag undefined that was not given. */
  isDryRun: boolean | undefined;
  asking: Asking;
  output: Output;
  /** What has been done, for the one line that tells it: `The tick is in`. */
  done: string;
  /** The same where there was nothing to do. */
  nothingToDo: string;
}

/** Shows what would change, asks, and changes it. Nothing is asked where nothing changes. */
export async function changeCrontab(options: ChangeCrontabOptions): Promise<CommandOutcome> {
  const { plan, isDryRun = false, asking, output, done, nothingToDo } = options;
  const { place, diff } = plan;
  const isNeeded = diff.length > 0;
  for (const line of diff) output.print(line);
  const isChanged = isNeeded && !isDryRun && (await askYes(`Change ${place.name} like this?`, asking));
  if (isChanged) await applyCrontabPlan(plan);
  const text = isChanged ? done : isNeeded ? 'Nothing was changed in' : nothingToDo;
  return {
    result: { crontab: place.name, isChanged, isDryRun, diff },
    render: (shown) => shown.summary(`${text} ${place.name}.`),
  };
}
