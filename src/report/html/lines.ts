import { drawFrame, plot, xOf, yOf } from './frame.ts';
import { html, type Markup } from './markup.ts';
import type { Scale } from './scale.ts';
import type { Series } from './series.ts';

export interface LinesOptions {
  description: string;
  scale: Scale;
  labels: readonly string[];
  series: readonly Series[];
  /** A dashed line that should not be reached. */
  limit?: number;
}

/** One line a series; a place without a value interrupts it, and a value between two such places is a dot. */
export function drawLines({ description, scale, labels, series, limit }: LinesOptions): Markup {
  const marks = series.map(({ name, color, values }) => {
    const path = values.map((value, index) => {
      if (value === null) return '';
      const isFirst = (values[index - 1] ?? null) === null;
      return `${isFirst ? 'M' : 'L'}${xOf(index, labels.length)} ${yOf(value, scale)}`;
    });
    const dots = values.map((value, index) =>
      value === null || values.length > 31
        ? undefined
        : html`<circle class="fill-${color}" cx="${xOf(index, labels.length)}" cy="${yOf(value, scale)}" r="2.5"><title>${labels[index]}: ${scale.format(value)} ${name}</title></circle>`,
    );
    return html`<path class="line-${color}" d="${path.join('')}"/>${dots}`;
  });
  const edge =
    limit === undefined
      ? undefined
      : html`<line class="limit" x1="${plot.left}" x2="${plot.right}" y1="${yOf(limit, scale)}" y2="${yOf(limit, scale)}"/>`;
  return drawFrame({ description, scale, labels, marks: html`${edge}${marks}` });
}
