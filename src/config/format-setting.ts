import type { GenericSchema } from 'valibot';
import { rate } from './mail-section.ts';
import { shapeOf, unwrapped } from './schema-shape.ts';
import { percent } from './setting-types.ts';

const units = [
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** A value of the checked configuration as `tend.toml` would have it: durations are texts there, milliseconds here. */
export function asWritten(root: GenericSchema, path: readonly string[], value: unknown): unknown {
  if (typeof value !== 'number') return value;
  const schema = schemaAt(root, path);
  if (schema === percent) return `${value}%`;
  if (schema === rate) return rateText(value);
  return schema !== undefined && shapeOf(schema).kind === 'text' ? durationText(value) : value;
}

function schemaAt(schema: GenericSchema, path: readonly string[]): GenericSchema | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return unwrapped(schema);
  const shape = shapeOf(schema);
  if (shape.kind === 'record') return schemaAt(shape.value, rest);
  const next = shape.kind === 'table' ? shape.entries[key] : undefined;
  return next === undefined ? undefined : schemaAt(next, rest);
}

function durationText(ms: number): string {
  const unit = units.find(([, size]) => ms >= size && ms % size === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}

/** Of the milliseconds between two: in the shortest unit that holds a whole number of them. */
function rateText(ms: number): string {
  for (const [unit, size] of units.toReversed()) {
    const count = Math.round(size / ms);
    if (unit !== 'w' && count >= 1 && Math.abs(size / count - ms) < ms * 1e-9) return `${count}/${unit}`;
  }
  return `${ms}ms`;
}
