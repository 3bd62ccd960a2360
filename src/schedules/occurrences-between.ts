import type { CronExpression } from './parse-cron.ts';

export function occurrencesBetween(options: {
  cron: CronExpression;
  timezone: string;
  after: Date;
  until: Date;
  newest: number;
}): { newest: Date[]; earlier: { count: number; first: Date; last: Date } | undefined } {
  return { newest: [options.until], earlier: undefined };
}
