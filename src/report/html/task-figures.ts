import { countOf } from '../../count-of.ts';
import { formatDuration } from '../../duration.ts';
import type { KindDurations } from '../history/find-durations-by-day.ts';
import type { DayOutcomes } from '../history/find-outcomes-by-day.ts';
import { drawBars } from './bars.ts';
import { drawFigure } from './figure.ts';
import { formatDay } from './format-utc.ts';
import { drawLines } from './lines.ts';
import type { Markup } from './markup.ts';
import { createScale } from './scale.ts';
import type { Series } from './series.ts';

/** How many tasks ended how, day by day. */
export function drawOutcomes(outcomes: readonly DayOutcomes[]): Markup {
  const labels = outcomes.map(({ day }) => formatDay(day));
  const series: Series[] = [
    { name: 'succeeded', color: 'good', values: outcomes.map(({ succeeded }) => succeeded) },
    { name: 'failed', color: 'bad', values: outcomes.map(({ failed }) => failed) },
    { name: 'missed', color: 'warn', values: outcomes.map(({ missed }) => missed) },
    { name: 'cancelled', color: 'calm', values: outcomes.map(({ cancelled }) => cancelled) },
  ];
  const totals = series.map(({ name, values }) => `${sum(values)} ${name}`);
  const description = `Tasks that ended in the last 14 days: ${totals.join(', ')}.`;
  const scale = createScale(Math.max(...labels.map((_, index) => sumAt(series, index))), 'count');
  return drawFigure({
    ...{ title: 'Task outcomes', summary: description, legend: series },
    chart: drawBars({ description, scale, labels, series }),
    columns: ['Day', '#Succeeded', '#Failed', '#Missed', '#Cancelled'],
    rows: outcomes.map((day) => [
      day.day,
      ...[day.succeeded, day.failed, day.missed, day.cancelled].map(String),
    ]),
  });
}

/** How long one kind took: the median tells of every day, the longest of the worst. */
export function drawDurations({ kind, attempts, days }: KindDurations): Markup {
  const series: Series[] = [
    { name: 'longest', color: 'calm', values: days.map(({ longestMs }) => longestMs) },
    { name: 'median', color: 'good', values: days.map(({ medianMs }) => medianMs) },
  ];
  const longest = Math.max(...days.map(({ longestMs }) => longestMs ?? 0));
  const description = `${countOf(attempts, 'attempt')} in 14 days; the longest took ${formatDuration(longest)}.`;
  const labels = days.map(({ day }) => formatDay(day));
  return drawFigure({
    ...{ title: `Duration: ${kind}`, summary: description, legend: series },
    chart: drawLines({ description, scale: createScale(longest, 'milliseconds'), labels, series }),
    columns: ['Day', '#Median', '#Longest'],
    rows: days.map(({ day, medianMs, longestMs }) => [day, say(medianMs), say(longestMs)]),
  });
}

function say(ms: number | null): string {
  return ms === null ? '' : formatDuration(ms);
}

function sum(values: Series['values']): number {
  return values.reduce((total: number, value) => total + (value ?? 0), 0);
}

function sumAt(series: readonly Series[], index: number): number {
  return sum(series.map(({ values }) => values[index] ?? null));
}
