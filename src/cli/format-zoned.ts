/** `2026-11-22 02:30 +01:00` by the clock of an IANA zone; in UTC where the zone is not known here. */
export function formatZoned(time: Date, timezone: string): string {
  const parts = partsOf(time, timezone) ?? partsOf(time, 'UTC') ?? new Map<string, string>();
  const part = (name: string) => parts.get(name) ?? '';
  const offset = part('timeZoneName').replace('GMT', '') || '+00:00';
  return `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')} ${offset}`;
}

function partsOf(time: Date, timeZone: string): Map<string, string> | undefined {
  try {
    const format = new Intl.DateTimeFormat('en', {
      timeZone,
      hourCycle: 'h23',
      timeZoneName: 'longOffset',
      ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
    });
    return new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
  } catch {
    return undefined;
  }
}
