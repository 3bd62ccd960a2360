import type { GenericSchema } from 'valibot';
import { closestName } from '../closest-name.ts';
import { shapeOf } from './schema-shape.ts';

/** Names that every JavaScript object has: valibot leaves such keys out of a table without a word. */
const forbiddenNames = new Set(['__proto__', 'prototype', 'constructor']);

/** A key no setting has, or may have. */
export interface UnknownKey {
  path: string[];
  /** A setting of the same table that was probably meant. */
  suggestion: string | undefined;
}

/**
 * All keys of `value` that the schema does not know: valibot stops at the first one of each table, and takes those
 * that every object has for known.
 */
export function findUnknownKeys(
  schema: GenericSchema,
  value: unknown,
  path: readonly string[] = [],
): UnknownKey[] {
  if (!isTable(value)) return [];
  const shape = shapeOf(schema);
  if (shape.kind === 'record') {
    return Object.entries(value).flatMap(([key, item]) => {
      const here = [...path, key];
      return forbiddenNames.has(key)
        ? [{ path: here, suggestion: undefined }]
        : findUnknownKeys(shape.value, item, here);
    });
  }
  if (shape.kind !== 'table') return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const here = [...path, key];
    const known = Object.hasOwn(shape.entries, key) ? shape.entries[key] : undefined;
    if (known !== undefined) return findUnknownKeys(known, item, here);
    return [{ path: here, suggestion: closestName(key, Object.keys(shape.entries)) }];
  });
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
