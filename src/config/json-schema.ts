import { toJsonSchema } from '@valibot/to-json-schema';
import { configSchema } from './schema.ts';

/**
 * JSON Schema of `tend.toml` (draft-07), for editors. A duration is described as it is written, a text. The build
 * puts the finished schema in the place of this module: the converter is no dependency at run time.
 */
export async function configJsonSchema(): Promise<object> {
  return toJsonSchema(configSchema, { typeMode: 'input', errorMode: 'ignore' });
}
