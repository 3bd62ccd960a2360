import { parseEnv } from 'node:util';
import { invalidSettings } from '../../connection/invalid-settings.ts';
import type { ApplicationSettings, SettingsFile } from './read-application-settings.ts';

/** Reads one variable of a .env file: DATABASE_URL, unless another one is named. */
export function readDotenv({ path, content, place, origin, secrets }: SettingsFile): ApplicationSettings {
  const name = place ?? 'DATABASE_URL';
  const value = parseEnv(content)[name];
  if (value === undefined || value === '') {
    throw invalidSettings(origin, `the file "${path}" does not set ${name}`);
  }
  const reference = /\$\{(\w+)[^}]*\}|\$\((\w+)\)/.exec(value);
  if (reference !== null) {
    secrets.add(value);
    throw invalidSettings(
      origin,
      `${name} in "${path}" refers to another variable (${reference[1] ?? reference[2]}), which is not expanded here`,
      `Write the whole URL, or let the application's environment set DATABASE_URL for tend.`,
    );
  }
  return { url: value, origin };
}
