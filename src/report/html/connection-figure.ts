import type { ConnectionPeak } from '../history/find-connection-history.ts';
import { drawFigure } from './figure.ts';
import { formatUtc } from './format-utc.ts';
import { drawLines } from './lines.ts';
import type { Markup } from './markup.ts';
import { createScale } from './scale.ts';
import type { Series } from './series.ts';

/** Sessions of the server over the day: a leak is a line that rises to the dashed one. Nothing where no sample was taken. */
export function drawConnections(
  peaks: readonly ConnectionPeak[],
  maxConnections: number,
): Markup | undefined {
  const totals = peaks.map(({ total }) => total);
  const highest = Math.max(0, ...totals.map((total) => total ?? 0));
  if (highest === 0) return undefined;
  const series: Series[] = [
    { name: 'all sessions', color: 'good', values: totals },
    {
      ...{ name: 'idle in transaction', color: 'warn' },
      values: peaks.map(({ idleInTransaction }) => idleInTransaction),
    },
  ];
  const description = `At most ${highest} of ${maxConnections} connections in the last 24 hours.`;
  return drawFigure({
    ...{ title: 'Connections', summary: description, legend: series },
    chart: drawLines({
      ...{ description, series, limit: maxConnections },
      scale: createScale(Math.max(highest, maxConnections), 'count'),
      labels: peaks.map(({ at }) => at.toISOString().slice(11, 16)),
    }),
    columns: ['From', '#Most sessions', '#Idle in transaction'],
    rows: peaks
      .filter(({ total }) => total !== null)
      .map(({ at, total, idleInTransaction }) => [formatUtc(at), String(total), String(idleInTransaction)]),
  });
}
