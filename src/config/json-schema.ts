import { toJsonSchema } from '@valibot/to-json-schema';
import { commandOrModule, configSchema } from './schema.ts';

/**
 * JSON Schema of `tend.toml` (draft-07), for editors. A duration is described as it is written, a text. The build
 * puts the finished schema in the place of this module: the converter is no dependency at run time.
 */
export async function configJsonSchema(): Promise<object> {
  const schema = toJsonSchema(configSchema, {
    typeMode: 'input',
    errorMode: 'ignore',
    overrideAction: ({ valibotAction, jsonSchema }) =>
      valibotAction === commandOrModule
        ? { ...jsonSchema, oneOf: [{ required: ['command'] }, { required: ['module'] }] }
        : undefined,
  });
  return { $schema: 'http://json-schema.org/draft-07/schema#', title: 'tend.toml', ...schema };
}
