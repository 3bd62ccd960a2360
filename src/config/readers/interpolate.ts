import { invalidSettings } from '../../connection/invalid-settings.ts';
import type { IniValue } from './ini-file.ts';

/** Looks a name up where the value stands: its section, then the defaults. */
export type Lookup = (name: string) => IniValue | undefined;

const maximalDepth = 10;

/**
 * Replaces `%(name)s` and `%%` as configparser's BasicInterpolation does. Messages name the line, never the value.
 */
export function interpolate(value: IniValue, lookup: Lookup, path: string, depth = 0): string {
  const origin = value.line === 0 ? `"${path}"` : `"${path}", line ${value.line}`;
  if (depth > maximalDepth) throw invalidSettings(origin, 'its %(…)s references go round in a circle');
  return value.text.replaceAll(/%(?:%|\(([^)]+)\)s|)/g, (match, name: string | undefined) => {
    if (match === '%%') return '%';
    if (name === undefined) {
      throw invalidSettings(
        origin,
        'a single "%" was found where %% or %(name)s was expected',
        'In an .ini file a percent sign is written twice: p%%40ss stands for p%40ss.',
      );
    }
    const found = lookup(name);
    if (found === undefined)
      throw invalidSettings(origin, `%(${name})s is not defined in its section or [DEFAULT]`);
    return interpolate(found, lookup, path, depth + 1);
  });
}
