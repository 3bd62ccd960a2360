import { TendError } from '../errors.ts';
import type { SecretRegistry } from '../redact.ts';
import type { LoadedConfig } from './load-config.ts';
import { readOrigins } from './read-origins.ts';
import { resolveReference } from './resolve-reference.ts';

/** A variable that the configuration names, and that is not set. */
export interface MissingVariable {
  /** The setting that names it: `mail.url`. */
  key: string;
  variable: string;
  /** `reference`: `env:NAME`, without which the setting cannot be used. `passed`: a kind's `env`, which passes it on. */
  use: 'reference' | 'passed';
  text: string;
}

/** What the environment lacks of `env:NAME` and of what the commands of kinds are to be given, in the order of the schema. */
export function findMissingVariables(options: {
  loaded: LoadedConfig;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
}): MissingVariable[] {
  const { loaded, env, secrets } = options;
  return readOrigins(loaded).flatMap(({ key, value }): MissingVariable[] => {
    if (/^tasks\.kinds\..*\.env$/.test(key) && Array.isArray(value)) {
      const unset = value.map(String).filter((name) => env[name] === undefined);
      return unset.map((variable) => ({
        ...{ key, variable, use: 'passed' },
        text: `${key} passes on the environment variable ${variable}, which is not set`,
      }));
    }
    const variable = typeof value === 'string' ? /^env:(\w+)$/.exec(value)?.[1] : undefined;
    if (variable === undefined) return [];
    try {
      resolveReference({ value: String(value), key, env, secrets });
      return [];
    } catch (error) {
      if (!(error instanceof TendError)) throw error;
      return [{ key, variable, use: 'reference', text: error.message }];
    }
  });
}
