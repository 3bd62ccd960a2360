import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
import { TendError } from '../errors.ts';
import type { SecretRegistry } from '../redact.ts';
import { checkConfig } from './check-config.ts';
import { readEnvironmentSettings } from './environment-settings.ts';
import { findConfig } from './find-config.ts';
import { pathKey } from './locate-keys.ts';
import { registerUrlPassword } from './resolve-reference.ts';
import { type Config, configSchema, secretPaths } from './schema.ts';

/** A setting given by a flag of the command line. */
export interface ConfigOverride {
  /** `['tasks', 'concurrency']`. */
  path: readonly string[];
  value: string | number | boolean;
  /** The flag as typed, for messages: `--concurrency`. */
  flag: string;
}

/** `tend.toml` as it stands. */
export interface ConfigFile {
  path: string;
  source: string;
}

/** The configuration in force, with what is needed to say where each value came from: see `readOrigins`. */
export interface LoadedConfig {
  config: Config;
  configPath: string | undefined;
  /** Directory that relative paths of the configuration are relative to. */
  baseDirectory: string;
  file: ConfigFile | undefined;
  /** Dotted path of a key → what was put over the file: a variable or a flag. */
  overlays: ReadonlyMap<string, string>;
  /** `TEND_` variables that are set and mean nothing. */
  unknownVariables: readonly string[];
}

export interface LoadConfigOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  configFlag: string | undefined;
  overrides: readonly ConfigOverride[];
  /** Passwords that stand in the configuration itself are added. */
  secrets: SecretRegistry;
}

/**
 * Reads `tend.toml`, puts the environment over it and the flags over both, and checks the whole once. References such
 * as `env:NAME` stay as they are: see `resolveReference`.
 *
 * @throws CONFIG_NOT_FOUND, or CONFIG_INVALID with every problem at once: file, line, key, and what was expected.
 */
export function loadConfig({ cwd, env, configFlag, overrides, secrets }: LoadConfigOptions): LoadedConfig {
  const configPath = findConfig({ cwd, env, configFlag });
  const file = configPath === undefined ? undefined : { path: configPath, source: readSource(configPath) };
  const values: Table = file === undefined ? {} : parseSource(file);
  const overlays = new Map<string, string>();

  const { settings, unknown } = readEnvironmentSettings({ env, schema: configSchema });
  const given = [
    ...settings.map(({ path, value, variable }) => ({ path, value, by: variable })),
    ...overrides.map(({ path, value, flag }) => ({ path, value, by: flag })),
  ];
  for (const { path, value, by } of given) {
    if (put(values, path, value)) overlays.set(pathKey(path), by);
  }

  const config = checkConfig({ values, file, overlays });
  for (const path of secretPaths) registerSecret(config, path.split('.'), secrets);
  return {
    config,
    configPath,
    baseDirectory: configPath === undefined ? cwd : dirname(configPath),
    file,
    overlays,
    unknownVariables: unknown,
  };
}

/** The defaults, for commands that must work whatever stands in `tend.toml`. */
export function withoutConfig(cwd: string): LoadedConfig {
  const overlays = new Map<string, string>();
  const config = checkConfig({ values: {}, file: undefined, overlays });
  return {
    config,
    configPath: undefined,
    baseDirectory: cwd,
    file: undefined,
    overlays,
    unknownVariables: [],
  };
}

type Table = Record<string, unknown>;

function readSource(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    throw new TendError('CONFIG_INVALID', `The configuration file "${path}" cannot be read: ${reason}`, {
      cause: error,
    });
  }
}

/** smol-toml's message goes on with the lines around the mistake, which may hold a password: only its first is used. */
export function parseSource({ path, source }: ConfigFile): Table {
  try {
    return parseToml(source);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ''] = error.message.split('\n');
    const problem = first.replace(/^Invalid TOML document: /, '');
    throw new TendError(
      'CONFIG_INVALID',
      `${path}:${error.line}:${error.column}: this is not valid TOML: ${problem}`,
    );
  }
}

/** False where a part of the path is no table in the file: the check then reports the file. */
function put(values: Table, path: readonly string[], value: unknown): boolean {
  const [key, ...rest] = path;
  if (key === undefined) return false;
  if (rest.length === 0) {
    values[key] = value;
    return true;
  }
  values[key] ??= {};
  const inner = values[key];
  return isTable(inner) && put(inner, rest, value);
}

function registerSecret(value: unknown, path: readonly string[], secrets: SecretRegistry): void {
  const [key, ...rest] = path;
  if (key !== undefined) {
    if (isTable(value)) registerSecret(value[key], rest, secrets);
    return;
  }
  if (typeof value === 'string') registerUrlPassword(value, secrets);
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
