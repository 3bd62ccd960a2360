/** `2026-11-28 06:00 UTC`, the same in every browser; nothing for null. */
export function formatUtc(time: Date | null): string {
  return time === null ? '' : `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** `28 Nov` of `2026-11-28` or of a moment, in UTC. */
export function formatDay(day: string | Date): string {
  const [, month = '', date = ''] = (typeof day === 'string' ? day : day.toISOString())
    .slice(0, 10)
    .split('-');
  return `${Number(date)} ${months[Number(month) - 1] ?? ''}`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
