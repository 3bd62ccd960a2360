import { formatDuration } from '../../duration.ts';
import { formatBytes } from '../../format-bytes.ts';

export type Unit = 'count' | 'bytes' | 'milliseconds';

/** A vertical axis from 0 to its last tick. */
export interface Scale {
  ticks: readonly number[];
  highest: number;
  format(value: number): string;
}

/** The axis for values up to `highest`: two to five ticks at numbers that are round in their unit. */
export function createScale(highest: number, unit: Unit): Scale {
  const target = Math.max(highest, unit === 'milliseconds' ? 10 : 1);
  const step = steps[unit].find((candidate) => target / candidate <= 4) ?? target / 4;
  const count = Math.max(1, Math.ceil(target / step));
  const ticks = Array.from({ length: count + 1 }, (_, index) => index * step);
  return { ticks, highest: count * step, format: formats[unit] };
}

const decimal = Array.from({ length: 16 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();
const minute = 60_000;
const hour = 60 * minute;
const steps: Record<Unit, readonly number[]> = {
  count: decimal,
  bytes: decimal,
  milliseconds: [
    ...decimal.filter((step) => step <= 5000),
    ...[10_000, 15_000, 30_000],
    ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * minute),
    ...[1, 2, 3, 6, 12, 24, 48, 96, 168].map((hours) => hours * hour),
  ],
};

const formats: Record<Unit, (value: number) => string> = {
  count: (value) => groupDigits(value),
  bytes: (value) => (value === 0 ? '0' : formatBytes(value)),
  milliseconds: (value) => (value === 0 ? '0' : formatDuration(value).replace('.0 ', ' ')),
};

/** Thousands are set apart by a narrow space, which is no decimal sign in any language. */
function groupDigits(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}
