import { type BaseIssue, safeParse } from 'valibot';
import { TendError } from '../errors.ts';
import { findUnknownKeys } from './find-unknown-keys.ts';
import { findUnsentHeaders } from './find-unsent-headers.ts';
import type { ConfigFile } from './load-config.ts';
import { locateKeys, pathKey } from './locate-keys.ts';
import { type Config, configSchema } from './schema.ts';

export interface CheckConfigOptions {
  values: Record<string, unknown>;
  file: ConfigFile | undefined;
  /** Dotted path → the variable or flag that set it. */
  overlays: ReadonlyMap<string, string>;
}

interface Problem {
  path: string[];
  text: string;
}

/**
 * Checks the merged configuration and fills in the defaults.
 *
 * @throws CONFIG_INVALID with one line a problem: `tend.toml:12: tasks.concurrency: a whole number … was expected`.
 *   Values are never quoted here: one of them may be a password in the wrong place.
 */
export function checkConfig({ values, file, overlays }: CheckConfigOptions): Config {
  const parsed = safeParse(configSchema, values);
  const unknown = findUnknownKeys(configSchema, values).map(({ path, suggestion }) => ({
    path,
    text: `this key is not known${suggestion === undefined ? '' : `; did you mean "${suggestion}"?`}`,
  }));
  const wrong = (parsed.issues ?? []).filter((issue) => issue.expected !== 'never').map(toProblem);
  const unsent = parsed.success ? findUnsentHeaders(parsed.output) : [];
  const found = [...unknown, ...wrong, ...unsent, ...findContradictions(values, overlays)];
  if (parsed.success && found.length === 0) return parsed.output;

  const problems = placed({ problems: found, file, overlays });
  const [first = ''] = problems;
  const message =
    problems.length === 1
      ? first
      : `The configuration has ${problems.length} problems:\n  ${problems.join('\n  ')}`;
  throw new TendError('CONFIG_INVALID', message, { hint: 'tend config schema prints all settings' });
}

/** TEND_DATABASE_URL is meant to win over a file that says `from`. */
function findContradictions(
  { database }: Record<string, unknown>,
  overlays: ReadonlyMap<string, string>,
): Problem[] {
  if (typeof database !== 'object' || database === null || overlays.has('database.url')) return [];
  if (!('url' in database && 'from' in database)) return [];
  return [{ path: ['database', 'from'], text: 'only one of "url" and "from" can count, remove the other' }];
}

function toProblem(issue: BaseIssue<unknown>): Problem {
  const path = (issue.path ?? []).map((item) => String(item.key));
  const isMissing = issue.input === undefined;
  return { path, text: isMissing ? 'this key is missing' : issue.message };
}

/** In the order of the file, each with its place. */
function placed({
  problems,
  file,
  overlays,
}: {
  problems: Problem[];
  file: ConfigFile | undefined;
  overlays: ReadonlyMap<string, string>;
}): string[] {
  const lines = file === undefined ? new Map<string, number>() : locateKeys(file.source);
  return problems
    .map(({ path, text }) => ({ path, text, line: lineOf(lines, path) }))
    .sort((left, right) => left.line - right.line)
    .map(({ path, text, line }) => {
      const key = pathKey(path);
      const overlay = overlays.get(key);
      const place = overlay ?? (file === undefined ? 'configuration' : `${file.path}:${line}`);
      return `${place}: ${key}: ${text}`;
    });
}

/** The line of the key, or of the nearest table around it that the file has (a missing key has none of its own). */
function lineOf(lines: ReadonlyMap<string, number>, path: readonly string[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const line = lines.get(pathKey(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return 1;
}
