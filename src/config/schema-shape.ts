import type { GenericSchema } from 'valibot';

/** What the loader needs to know of a valibot schema: which keys a table has, and what a simple value is. */
export type SchemaShape =
  | { kind: 'table'; entries: Readonly<Record<string, GenericSchema>> }
  | { kind: 'record'; value: GenericSchema }
  | { kind: 'text' | 'number' | 'boolean' | 'other' };

/** The schema inside of `optional`. */
export function unwrapped(schema: GenericSchema): GenericSchema {
  return 'wrapped' in schema ? unwrapped(schema.wrapped as GenericSchema) : schema; // valibot: optional's inner schema
}

/** Looks through `optional` and `pipe`, which wrap the schema that says what the value is. */
export function shapeOf(wrapped: GenericSchema): SchemaShape {
  const schema = unwrapped(wrapped);
  switch (schema.type) {
    case 'strict_object':
      // valibot: the entries of an object schema are schemas
      return 'entries' in schema
        ? { kind: 'table', entries: schema.entries as Record<string, GenericSchema> }
        : { kind: 'other' };
    case 'record':
      // valibot: the schema of a record's values
      return 'value' in schema ? { kind: 'record', value: schema.value as GenericSchema } : { kind: 'other' };
    case 'string':
    case 'picklist':
      return { kind: 'text' };
    case 'number':
      return { kind: 'number' };
    case 'boolean':
      return { kind: 'boolean' };
    default:
      return { kind: 'other' };
  }
}
