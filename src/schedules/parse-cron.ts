export interface CronExpression {
  text: string;
}
export function parseCron(text: string): { cron: CronExpression } | { problem: string } {
  return text === '' ? { problem: 'empty' } : { cron: { text } };
}
