import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { closestName } from '../closest-name.ts';
import { builtInKindNames } from './built-in-kinds.ts';
import { listEnvironmentSettings, variableOf } from './environment-settings.ts';
import type { LoadedConfig } from './load-config.ts';
import { pathKey } from './locate-keys.ts';
import { readOrigins } from './read-origins.ts';
import { configSchema } from './schema.ts';

/** Something in the configuration that is allowed and will surprise. */
export interface ConfigWarning {
  /** `/etc/tend.toml:12`, or the variable. */
  place: string;
  key: string;
  text: string;
}

/**
 * Warnings on modules that are not there, on limits of kinds that are not known here, on mail that cannot be sent to
 * `[monitor] mail_to`, and on `TEND_` variables that name no setting.
 */
export function findConfigWarnings(loaded: LoadedConfig): ConfigWarning[] {
  const variables = listEnvironmentSettings(configSchema).map(variableOf);
  const unknown = loaded.unknownVariables.map((variable) => {
    const guess = closestName(variable, variables);
    const suggestion = guess === undefined ? '' : `; did you mean ${guess}?`;
    return { place: 'environment', key: variable, text: `${variable} names no setting${suggestion}` };
  });
  return [
    ...findMissingModules(loaded),
    ...findToollessDirectory(loaded),
    ...findIdleLimits(loaded),
    ...findUnreachableReaders(loaded),
    ...unknown,
  ];
}

/** Only whether the file is there: what it exports is found when a task of it runs, by its own process. */
function findMissingModules(loaded: LoadedConfig): ConfigWarning[] {
  return readOrigins(loaded).flatMap(({ key, value, origin }) => {
    if (!/^tasks\.kinds\..*\.module$/.test(key) || typeof value !== 'string') return [];
    const path = resolve(loaded.baseDirectory, value);
    if (existsSync(path)) return [];
    return [{ place: origin, key, text: `the module "${path}" does not exist: its tasks will fail` }];
  });
}

/** Nowhere else is looked for PostgreSQL's programs then. Which version the server needs is not known here. */
function findToollessDirectory(loaded: LoadedConfig): ConfigWarning[] {
  const { tools_directory } = loaded.config.backup;
  if (tools_directory === undefined) return [];
  const directory = resolve(loaded.baseDirectory, tools_directory);
  const missing = ['pg_dump', 'pg_restore'].filter((name) => !existsSync(join(directory, name)));
  if (missing.length === 0) return [];
  const key = 'backup.tools_directory';
  const place = readOrigins(loaded).find((one) => one.key === key)?.origin ?? 'default';
  const text = `"${directory}" has no ${missing.join(' and no ')}: neither backups nor restores will work`;
  return [{ place, key, text }];
}

/** No error: the file may be that of several hosts, and this one lack the kind. */
function findIdleLimits(loaded: LoadedConfig): ConfigWarning[] {
  const kinds = [...builtInKindNames, ...Object.keys(loaded.config.tasks.kinds)];
  const origins = new Map(readOrigins(loaded).map(({ key, origin }) => [key, origin]));
  const idle = Object.keys(loaded.config.tasks.limits).filter((kind) => !kinds.includes(kind));
  return idle.map((kind) => {
    const key = pathKey(['tasks', 'limits', kind]);
    const guess = closestName(kind, kinds);
    const suggestion = guess === undefined ? '' : `; did you mean "${guess}"?`;
    return {
      place: origins.get(key) ?? 'default',
      key,
      text: `${key} limits a kind that is not known here${suggestion}`,
    };
  });
}

/** That nobody is told of what breaks is found on the day it breaks, or never. */
function findUnreachableReaders(loaded: LoadedConfig): ConfigWarning[] {
  const { monitor, mail } = loaded.config;
  const readers = [monitor.mail_to ?? []].flat();
  if (readers.length === 0) return [];
  const key = 'monitor.mail_to';
  const place = readOrigins(loaded).find((one) => one.key.startsWith(key))?.origin ?? 'default';
  const missing = [mail.url === undefined && 'url', mail.from === undefined && 'from'].filter(Boolean);
  const texts: string[] = [];
  if (missing.length > 0) texts.push(`${key} is told nothing: [mail] has no ${missing.join(' and no ')}`);
  const domains = mail.redirect_all === undefined ? mail.allow_domains : undefined;
  for (const reader of readers) {
    const domain = reader.replace(/>\s*$/, '').split('@').at(-1)?.trim().toLowerCase() ?? '';
    if (domains !== undefined && !domains.includes(domain))
      texts.push(`${key} "${reader}" is told nothing: "${domain}" is not in [mail] allow_domains`);
  }
  return texts.map((text) => ({ place, key, text }));
}
