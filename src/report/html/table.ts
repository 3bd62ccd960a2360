import { cutText } from './cut-text.ts';
import { html, type Markup } from './markup.ts';

export interface TableOptions {
  /** What it lists, for those who do not see what stands above it. */
  label: string;
  /** A column whose title begins with `#` holds numbers; the sign is not shown. */
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  /** How many rows are shown at most; the rest is counted. */
  limit?: number;
}

/** A table that scrolls by itself where the page is narrower, by keyboard as well. */
export function drawTable({ label, columns, rows, limit = 60 }: TableOptions): Markup {
  const isNumber = columns.map((column) => column.startsWith('#'));
  const head = columns.map(
    (column, index) =>
      html`<th scope="col"${isNumber[index] === true ? numeric : undefined}>${column.replace(/^#/, '')}</th>`,
  );
  const cellOf = (cell: string, index: number) => {
    const look = isNumber[index] === true ? numeric : cell.length > 40 ? long : undefined;
    return html`<td${look}>${cutText(cell)}</td>`;
  };
  const body = rows.slice(0, limit).map((row) => html`<tr>${row.map(cellOf)}</tr>`);
  const more = rows.length > limit ? html`<p class="faint">and ${rows.length - limit} more</p>` : undefined;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${cutText(label)}"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>${more}`;
}

const numeric = html` class="number"`;
const long = html` class="text"`;
