import { checkConfig } from './check-config.ts';
import { type ConfigFile, parseSource } from './load-config.ts';
import type { Config } from './schema.ts';

/**
 * Checks the text of a tend.toml that need not be written yet.
 *
 * @throws TendError CONFIG_INVALID as `loadConfig`.
 */
export function checkConfigSource(file: ConfigFile): Config {
  return checkConfig({ values: parseSource(file), file, overlays: new Map() });
}
