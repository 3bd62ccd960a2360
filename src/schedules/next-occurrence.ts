import type { CronExpression } from './parse-cron.ts';

export function nextOccurrence(options: {
  cron: CronExpression;
  timezone: string;
  after: Date;
}): Date | undefined {
  return new Date(options.after.getTime() + 60_000);
}
