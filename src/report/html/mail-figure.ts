import type { DayMail } from '../history/find-mail-by-day.ts';
import { drawBars } from './bars.ts';
import { drawFigure } from './figure.ts';
import { formatDay } from './format-utc.ts';
import type { Markup } from './markup.ts';
import { createScale } from './scale.ts';
import type { Series } from './series.ts';

/** What became of the messages, day by day. */
export function drawMail(mail: readonly DayMail[]): Markup {
  const labels = mail.map(({ day }) => formatDay(day));
  const series = [
    { name: 'sent', color: 'good', values: mail.map(({ sent }) => sent) },
    { name: 'partly sent', color: 'calm', values: mail.map(({ partlySent }) => partlySent) },
    { name: 'refused', color: 'bad', values: mail.map(({ refused }) => refused) },
    { name: 'unknown', color: 'warn', values: mail.map(({ unknown }) => unknown) },
  ] as const satisfies readonly Series[];
  const totals = series.map(({ name, values }) => `${values.reduce((a, b) => a + b, 0)} ${name}`);
  const description = `Messages of the last 14 days: ${totals.join(', ')}.`;
  const highest = Math.max(...mail.map((day) => day.sent + day.partlySent + day.refused + day.unknown));
  return drawFigure({
    ...{ title: 'Mail', summary: description, legend: series },
    chart: drawBars({ description, scale: createScale(highest, 'count'), labels, series }),
    columns: ['Day', '#Sent', '#Partly', '#Refused', '#Unknown'],
    rows: mail.map((day) => [day.day, ...[day.sent, day.partlySent, day.refused, day.unknown].map(String)]),
  });
}
