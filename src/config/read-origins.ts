import { asWritten } from './format-setting.ts';
import type { LoadedConfig } from './load-config.ts';
import { locateKeys, pathKey } from './locate-keys.ts';
import { configSchema } from './schema.ts';

/** One effective value, and where it came from. */
export interface EffectiveSetting {
  /** Dotted: `tasks.concurrency`. */
  key: string;
  value: unknown;
  /** `default`, `/etc/tend.toml:12`, `TEND_TASKS_CONCURRENCY`, or `--concurrency`. */
  origin: string;
}

/** All settings in force, in the order of the schema; lists whole, durations as written. */
export function readOrigins(loaded: LoadedConfig): EffectiveSetting[] {
  const { file, overlays } = loaded;
  const lines = file === undefined ? new Map<string, number>() : locateKeys(file.source);
  return leaves(loaded.config, []).map(({ path, value }) => {
    const key = pathKey(path);
    const line = lines.get(key);
    const fromFile = line === undefined ? 'default' : `${file?.path}:${line}`;
    return { key, value: asWritten(configSchema, path, value), origin: overlays.get(key) ?? fromFile };
  });
}

function leaves(value: unknown, path: readonly string[]): { path: string[]; value: unknown }[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]));
  }
  return value === undefined ? [] : [{ path: [...path], value }];
}
