import { type CronExpression, parseCron } from '../../../src/schedules/parse-cron.ts';

/** An expression that must be one. */
export function cron(text: string): CronExpression {
  const parsed = parseCron(text);
  if ('problem' in parsed) throw new Error(`${text}: ${parsed.problem}`);
  return parsed.cron;
}
