import type { GenericSchema } from 'valibot';
import { shapeOf } from './schema-shape.ts';

const units = [
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** A value of the checked configuration as `tend.toml` would have it: durations are texts there, milliseconds here. */
export function asWritten(schema: GenericSchema, path: readonly string[], value: unknown): unknown {
  const isDuration = typeof value === 'number' && schemaAt(schema, path)?.kind === 'text';
  return isDuration ? durationText(value) : value;
}

function schemaAt(schema: GenericSchema, path: readonly string[]): ReturnType<typeof shapeOf> | undefined {
  const shape = shapeOf(schema);
  const [key, ...rest] = path;
  if (key === undefined) return shape;
  if (shape.kind === 'record') return schemaAt(shape.value, rest);
  const next = shape.kind === 'table' ? shape.entries[key] : undefined;
  return next === undefined ? undefined : schemaAt(next, rest);
}

function durationText(ms: number): string {
  const unit = units.find(([, size]) => ms >= size && ms % size === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}
