import type { GenericSchema } from 'valibot';
import { shapeOf } from './schema-shape.ts';

/** A setting given by an environment variable. */
export interface EnvironmentSetting {
  variable: string;
  path: string[];
  value: string | number | boolean;
}

/** Variables of the `TEND_` family that are no settings of `tend.toml`. */
export const otherVariables = {
  TEND_CONFIG: 'the tend.toml to use, as --config',
  TEND_LOG: '"debug" shows everything that -vv shows',
  TEND_LOG_FORMAT: '"json" or "text": messages on stderr, as --log-format',
} as const;

/** Short names of settings; they win over `TEND_<SECTION>_<KEY>`. */
const shortNames: Readonly<Record<string, string[]>> = { TEND_LOG_FORMAT: ['monitor', 'log_format'] };

/**
 * The settings among the variables: `TEND_<SECTION>_<KEY>`, for keys that hold a text, a number, true/false or a
 * duration, at any depth of fixed tables (`TEND_APP_CHECK_URL`). A value is checked by the schema afterwards.
 *
 * @returns also the `TEND_` variables that mean nothing, for a warning: a misspelt one would be silent otherwise.
 */
export function readEnvironmentSettings({ env, schema }: { env: NodeJS.ProcessEnv; schema: GenericSchema }): {
  settings: EnvironmentSetting[];
  unknown: string[];
} {
  const settings: EnvironmentSetting[] = [];
  const unknown: string[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('TEND_') || variable in otherVariables || text === undefined || text === '')
      continue;
    const found = findSetting(schema, variable.slice('TEND_'.length).toLowerCase(), []);
    if (found === undefined) unknown.push(variable);
    else settings.push({ variable, path: found.path, value: readValue(text, found.kind) });
  }
  for (const [variable, path] of Object.entries(shortNames)) {
    const value = env[variable];
    if (value !== undefined && value !== '') settings.push({ variable, path, value });
  }
  return { settings, unknown };
}

/** The variables of all settings, in the order of the schema: for help. */
export function listEnvironmentSettings(schema: GenericSchema, prefix: readonly string[] = []): string[][] {
  const shape = shapeOf(schema);
  if (shape.kind === 'table') {
    return Object.entries(shape.entries).flatMap(([key, value]) =>
      listEnvironmentSettings(value, [...prefix, key]),
    );
  }
  return shape.kind === 'record' || shape.kind === 'other' ? [] : [[...prefix]];
}

/** `['tasks', 'concurrency']` → `TEND_TASKS_CONCURRENCY`. A hyphen is an underscore, since no shell exports a name with one. */
export function variableOf(path: readonly string[]): string {
  return `TEND_${path.join('_').replaceAll('-', '_').toUpperCase()}`;
}

type SimpleKind = 'text' | 'number' | 'boolean';

/**
 * Keys hold underscores too (`on_bad_message`), so the name is matched against the schema, not split. A key with a hyphen is known by
 * an underscore in its place, and as it is: env(1), systemd and Kubernetes can set such a name.
 */
function findSetting(
  schema: GenericSchema,
  name: string,
  path: readonly string[],
): { path: string[]; kind: SimpleKind } | undefined {
  const shape = shapeOf(schema);
  if (shape.kind !== 'table') return undefined;
  for (const [key, value] of Object.entries(shape.entries)) {
    const here = [...path, key];
    const typed = name.slice(0, key.length);
    if (typed !== key && typed !== key.replaceAll('-', '_')) continue;
    if (name === typed) {
      const { kind } = shapeOf(value);
      if (kind === 'text' || kind === 'number' || kind === 'boolean') return { path: here, kind };
    }
    const deeper = name.startsWith(`${typed}_`)
      ? findSetting(value, name.slice(typed.length + 1), here)
      : undefined;
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

/** What cannot be read as the kind stays a text, which the schema then refuses in its own words. */
function readValue(text: string, kind: SimpleKind): string | number | boolean {
  if (kind === 'number' && /^-?\d+(\.\d+)?$/.test(text.trim())) return Number(text);
  if (kind === 'boolean' && /^(true|1|yes|on)$/i.test(text)) return true;
  if (kind === 'boolean' && /^(false|0|no|off)$/i.test(text)) return false;
  return text;
}
