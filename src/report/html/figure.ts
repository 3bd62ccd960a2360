import { cutText } from './cut-text.ts';
import { html, type Markup } from './markup.ts';
import type { SeriesColor } from './series.ts';
import { drawTable } from './table.ts';

export interface FigureOptions {
  title: string;
  /** The chart in one sentence: for everybody below the title, and in place of the drawing where it is not seen. */
  summary: string;
  chart: Markup;
  legend?: readonly { name: string; color: SeriesColor | 'planned' }[];
  /** The same numbers. */
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}

/** A chart in its card, with a legend where there is more than one series, and its numbers as a table. */
export function drawFigure({ title, summary, chart, legend = [], columns, rows }: FigureOptions): Markup {
  const items = legend.map(
    ({ name, color }) =>
      html`<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="fill-${color}" width="10" height="10" rx="2"/></svg>${name}</li>`,
  );
  return html`<figure class="card"><figcaption><h3>${cutText(title, 80)}</h3><p class="faint">${summary}</p></figcaption>${chart}${items.length > 1 ? html`<ul class="legend">${items}</ul>` : undefined}<details><summary>As a table</summary>${drawTable({ label: title, columns, rows })}</details></figure>`;
}
