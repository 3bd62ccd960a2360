import { formatDuration } from '../../duration.ts';
import { formatBytes } from '../../format-bytes.ts';
import type { TakenBackup } from '../history/find-backup-history.ts';
import { drawBars } from './bars.ts';
import { drawFigure } from './figure.ts';
import { formatDay, formatUtc } from './format-utc.ts';
import type { Markup } from './markup.ts';
import { createScale } from './scale.ts';

/** Size and duration of the last sets, removed ones included: a trend outlives what retention keeps. */
export function drawBackups(backups: readonly TakenBackup[]): Markup[] {
  const last = backups.at(-1);
  if (last === undefined) return [];
  const labels = backups.map(({ finishedAt }) => formatDay(finishedAt));
  const sizes = backups.map(({ bytes }) => bytes);
  const durations = backups.map(({ durationMs }) => durationMs);
  const size = `${backups.length === 1 ? 'One set' : `The last ${backups.length} sets`}; the newest is ${formatBytes(last.bytes)}.`;
  const duration = `The newest took ${formatDuration(last.durationMs)}, the longest ${formatDuration(Math.max(...durations))}.`;
  const table = {
    columns: ['Set', 'Finished', '#Size', '#Took', 'Removed'],
    rows: backups.map(({ id, finishedAt, bytes, durationMs, isRemoved }) => [
      ...[id, formatUtc(finishedAt), formatBytes(bytes), formatDuration(durationMs), isRemoved ? 'yes' : ''],
    ]),
  };
  return [
    drawFigure({
      ...{ title: 'Backup size', summary: size, ...table },
      chart: drawBars({
        ...{ description: size, scale: createScale(Math.max(...sizes), 'bytes'), labels },
        series: [{ name: 'stored', color: 'good', values: sizes }],
      }),
    }),
    drawFigure({
      ...{ title: 'Backup duration', summary: duration, ...table },
      chart: drawBars({
        ...{ description: duration, scale: createScale(Math.max(...durations), 'milliseconds'), labels },
        series: [{ name: 'in all', color: 'calm', values: durations }],
      }),
    }),
  ];
}
