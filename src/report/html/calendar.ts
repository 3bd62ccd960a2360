import { round } from './frame.ts';
import { html, type Markup } from './markup.ts';

/** Occurrences of one hour: those behind us by how they ended, those ahead as planned. */
export interface CalendarHour {
  good: number;
  bad: number;
  planned: number;
}

export interface CalendarDay {
  label: string;
  /** Twenty-four. */
  hours: readonly CalendarHour[];
}

export interface CalendarOptions {
  description: string;
  days: readonly CalendarDay[];
}

const left = 52;
const cell = { width: 11.8, height: 17 } as const;

/** Days below one another, hours of UTC from left to right: full where something ran, an outline where something will. */
export function drawCalendar({ description, days }: CalendarOptions): Markup {
  const bottom = days.length * cell.height;
  const rows = days.map(({ label, hours }, row) => {
    const y = row * cell.height;
    const cells = hours.map((hour, index) => {
      const x = round(left + index * cell.width);
      return html`<rect class="${classOf(hour)}" x="${round(x + 0.75)}" y="${y + 0.75}" width="${round(cell.width - 2)}" height="${cell.height - 2}" rx="2"><title>${label} ${pad(index)}:00: ${say(hour)}</title></rect>`;
    });
    return html`<text class="end" x="${left - 6}" y="${y + 12.5}">${label}</text>${cells}`;
  });
  const hours = [0, 6, 12, 18].map(
    (hour) => html`<text x="${round(left + hour * cell.width)}" y="${bottom + 14}">${pad(hour)}:00</text>`,
  );
  return html`<svg viewBox="0 0 340 ${bottom + 20}" role="img" aria-label="${description}">${rows}${hours}</svg>`;
}

function classOf({ good, bad, planned }: CalendarHour): string {
  if (bad > 0) return 'fill-bad';
  if (good > 0) return 'fill-good';
  return planned > 0 ? 'fill-planned' : 'empty';
}

function say({ good, bad, planned }: CalendarHour): string {
  const parts = [
    [good, 'done'],
    [bad, 'not done'],
    [planned, 'planned'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return said.length === 0 ? 'nothing' : said.join(', ');
}

function pad(hour: number): string {
  return String(hour).padStart(2, '0');
}
