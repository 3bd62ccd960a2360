import * as v from 'valibot';
import { configSchema } from '../../src/config/schema.ts';
import { knownKinds } from '../../src/tasks/handlers/registry.ts';

/** How long a tick that was told to stop may need until its last task has stopped, with the defaults of tend.toml. */
export function longestGraceMs(): number {
  const config = v.parse(configSchema, {});
  const kinds = [...knownKinds(config).values()];
  return Math.max(config.tasks.grace, ...kinds.map(({ policy }) => policy.graceMs ?? 0));
}
