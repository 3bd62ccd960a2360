import { zoneOffset } from './zone-offset.ts';

/** A stretch of time in which the clocks of a zone do not change. Milliseconds; `end` is no longer in it. */
export interface ZoneSpan {
  start: number;
  end: number;
  offset: number;
}

const weekMs = 7 * 86_400_000;
const cache = new Map<string, Map<number, readonly ZoneSpan[]>>();

/**
 * The spans of a time zone from the week of `from` on, without end. None is longer than a week: two neighbours with
 * the same offset are usual. Changes are looked for between the ends of a week, so two that cancel each other within
 * one are not seen; the shortest that the zones of today have is Morocco's month of Ramadan.
 */
export function* zoneSpans(timezone: string, from: number): Generator<ZoneSpan, never> {
  let weeks = cache.get(timezone);
  if (weeks === undefined) cache.set(timezone, (weeks = new Map()));
  for (let week = Math.floor(from / weekMs); ; week += 1) {
    let spans = weeks.get(week);
    if (spans === undefined)
      weeks.set(week, (spans = splitWeek(timezone, week * weekMs, (week + 1) * weekMs)));
    yield* spans;
  }
}

function splitWeek(timezone: string, start: number, end: number): ZoneSpan[] {
  const spans: ZoneSpan[] = [];
  let from = start;
  for (;;) {
    const offset = zoneOffset(timezone, from);
    const change = offset === zoneOffset(timezone, end) ? end : findChange(timezone, from, end, offset);
    spans.push({ start: from, end: change, offset });
    if (change === end) return spans;
    from = change;
  }
}

/** The first second from which the offset is no longer `offset`, as it is no longer at `end`. */
function findChange(timezone: string, start: number, end: number, offset: number): number {
  let [before, after] = [start, end];
  while (after - before > 1000) {
    const middle = before + Math.floor((after - before) / 2000) * 1000;
    if (zoneOffset(timezone, middle) === offset) before = middle;
    else after = middle;
  }
  return after;
}
