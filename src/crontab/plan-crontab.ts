import { compareCrontabs } from './compare-crontabs.ts';
import { systemCrontabLines, userCrontabLines } from './cron-lines.ts';
import { withCrontabBlock, withoutCrontabBlock } from './crontab-block.ts';
import type { CrontabPlace } from './crontab-place.ts';
import type { TickCall } from './tick-call.ts';

/** A change to a crontab that has not been made. */
export interface CrontabPlan {
  place: CrontabPlace;
  before: string;
  after: string;
  /** For a person: see `compareCrontabs`. */
  diff: string[];
}

/** Puts a site's lines into a crontab, or brings those that are there up to date. Nothing else in it changes. */
export async function planInstallation(place: CrontabPlace, call: TickCall): Promise<CrontabPlan> {
  const before = await place.read();
  const after = withCrontabBlock(before, call.configPath, (above) =>
    place.namesUser ? systemCrontabLines(call) : userCrontabLines(call, { above }),
  );
  return { place, before, after, diff: compareCrontabs(before, after) };
}

/** Takes a site's lines out of a crontab, its markers included. */
export async function planRemoval(place: CrontabPlace, configPath: string): Promise<CrontabPlan> {
  const before = await place.read();
  const after = withoutCrontabBlock(before, configPath);
  return { place, before, after, diff: compareCrontabs(before, after) };
}
