const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * Milliseconds by which the clocks of a time zone are ahead of UTC at an instant. The first zone of a process costs
 * 20 ms (ICU loads its patterns), a further one 0.2 ms, an offset 2 µs; UTC costs nothing.
 *
 * @throws {RangeError} for a zone that `checkTimezone` refuses.
 */
export function zoneOffset(timezone: string, at: number): number {
  if (timezone === 'UTC') return 0;
  let format = formats.get(timezone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' });
    formats.set(timezone, format);
  }
  // "10/25/2026, GMT+02:00"; with seconds in the years of local mean time, and bare "GMT" for no offset
  const [, sign, hours, minutes, seconds] =
    /GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?$/.exec(format.format(at)) ?? [];
  const total = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  return (sign === '-' ? -total : total) * 1000;
}
