import { drawFrame, plot, round, xOf, yOf } from './frame.ts';
import { html, type Markup } from './markup.ts';
import type { Scale } from './scale.ts';
import type { Series } from './series.ts';

export interface BarsOptions {
  description: string;
  scale: Scale;
  labels: readonly string[];
  /** Stacked from the bottom in this order. */
  series: readonly Series[];
}

/** Stacked bars, one for each label. */
export function drawBars({ description, scale, labels, series }: BarsOptions): Markup {
  const width = round(Math.min(28, ((plot.right - plot.left) / Math.max(1, labels.length)) * 0.72));
  const marks = labels.map((label, index) => {
    let below = 0;
    return series.map(({ name, color, values }) => {
      const value = values[index] ?? 0;
      if (value <= 0) return undefined;
      const bottom = yOf(below, scale);
      below += value;
      // A value that is there is seen, however small it is beside the others.
      const height = Math.max(1.5, round(bottom - yOf(below, scale)));
      const x = round(xOf(index, labels.length) - width / 2);
      return html`<rect class="fill-${color}" x="${x}" y="${round(bottom - height)}" width="${width}" height="${height}"><title>${label}: ${scale.format(value)} ${name}</title></rect>`;
    });
  });
  return drawFrame({ description, scale, labels, marks: html`${marks}` });
}
