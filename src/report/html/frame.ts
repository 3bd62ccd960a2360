import { html, type Markup } from './markup.ts';
import type { Scale } from './scale.ts';

/** Sizes of every chart, in its own units: about the pixels of a phone, so that letters are readable there. */
export const plot = { width: 340, height: 170, left: 52, right: 334, top: 10, bottom: 146 } as const;

/** Where a value stands above the lower edge. */
export function yOf(value: number, { highest }: Scale): number {
  return round(plot.bottom - (value / highest) * (plot.bottom - plot.top));
}

/** The middle of place `index` of `count`, from left to right. */
export function xOf(index: number, count: number): number {
  return round(plot.left + ((index + 0.5) / count) * (plot.right - plot.left));
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export interface FrameOptions {
  /** What it shows, in a sentence that says the same as the chart: read aloud in its place. */
  description: string;
  scale: Scale;
  /** Of the places from left to right; about five of them are written. */
  labels: readonly string[];
  marks: Markup;
}

/** A chart: lines at the ticks with their numbers, the marks, and the labels below. */
export function drawFrame({ description, scale, labels, marks }: FrameOptions): Markup {
  const { width, height, left, right, bottom } = plot;
  const lines = scale.ticks.map((tick) => {
    const y = yOf(tick, scale);
    return html`<line class="${tick === 0 ? 'axis' : 'grid'}" x1="${left}" x2="${right}" y1="${y}" y2="${y}"/><text class="end" x="${left - 6}" y="${y + 4}">${scale.format(tick)}</text>`;
  });
  const every = Math.max(1, Math.ceil(labels.length / 5));
  const first = (labels.length - 1) % every;
  const written = labels.map((label, index) =>
    index % every === first
      ? html`<text class="middle" x="${Math.min(xOf(index, labels.length), right - 14)}" y="${bottom + 18}">${label}</text>`
      : undefined,
  );
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${description}">${lines}${marks}${written}</svg>`;
}
