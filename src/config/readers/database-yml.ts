import { dirname } from 'node:path';
import { LineCounter, parseDocument, type YAMLParseError } from 'yaml';
import { invalidSettings } from '../../connection/invalid-settings.ts';
import type { ConnectionParameters, LibpqParameter } from '../../connection/libpq-parameters.ts';
import type { ApplicationSettings, SettingsFile } from './read-application-settings.ts';
import { replaceErbVariables } from './replace-erb-variables.ts';

/** Rails' keys on the left; the others of ActiveRecord's PostgreSQL adapter go to libpq under their own name. */
const parameterOfKey: Record<string, LibpqParameter> = {
  host: 'host',
  port: 'port',
  username: 'user',
  user: 'user',
  password: 'password',
  database: 'dbname',
  sslmode: 'sslmode',
  sslrootcert: 'sslrootcert',
  sslcert: 'sslcert',
  sslkey: 'sslkey',
  connect_timeout: 'connect_timeout',
  service: 'service',
};

const erbHint =
  'ERB (<% … %>) is Ruby code and is not run here, but for ENV["NAME"] and ENV.fetch("NAME"). Let the environment set DATABASE_URL for tend, or write the value.';

/**
 * Reads one environment of Rails' config/database.yml, with aliases and merges. Of ERB, the reading of an environment variable is
 * understood; all else is refused where it matters, and so is a variable that is not set.
 */
export async function readDatabaseYml(settings: SettingsFile): Promise<ApplicationSettings> {
  const { path, place, origin, secrets } = settings;
  const root = parse(settings);
  if (place === undefined) {
    throw invalidSettings(
      origin,
      `the environment is missing (${names(root)})`,
      `Write "${origin}#production".`,
    );
  }
  const section = findSection(root, place);
  if (section === undefined) {
    throw invalidSettings(origin, `"${path}" has no "${place}", only ${names(root)}`);
  }
  const read = (key: string) => {
    const written = textOf(section[key]);
    if (written === undefined) return undefined;
    const text = replaceErbVariables(written, ({ name, fallback }) => {
      const value = settings.env[name] ?? fallback;
      if (value !== undefined) return value;
      const what = `"${key}" of "${place}" in "${path}" is the environment variable ${name}, which is not set`;
      throw invalidSettings(
        origin,
        what,
        `Set ${name} where tend is called, in the crontab or unit too; empty where there is none.`,
      );
    });
    // looked for in what is written: a password may hold anything
    if (replaceErbVariables(written, () => '').includes('<%')) {
      throw invalidSettings(origin, `"${key}" of "${place}" in "${path}" is ERB`, erbHint);
    }
    return text === '' ? undefined : text;
  };
  const adapter = read('adapter');
  if (adapter !== undefined && !/^postg(res|resql|is)$/.test(adapter)) {
    throw invalidSettings(origin, `"${place}" in "${path}" is not PostgreSQL, but ${adapter}`);
  }
  const url = read('url');
  if (url !== undefined) return { url, origin };
  const parameters: ConnectionParameters = {};
  for (const [key, parameter] of Object.entries(parameterOfKey)) {
    const text = read(key);
    if (text !== undefined) parameters[parameter] = text;
  }
  secrets.add(parameters.password);
  const socket = read('socket');
  if (socket !== undefined) parameters.host = socket.includes('/.s.PGSQL.') ? dirname(socket) : socket;
  if (Object.keys(parameters).length > 0) return { parameters, origin };
  throw invalidSettings(origin, `"${place}" in "${path}" has neither "url" nor "database"`);
}

/** A setting of database.yml that is read from an environment variable. */
export interface SettingFromVariable {
  /** `password`. */
  key: string;
  variable: string;
  hasDefault: boolean;
}

/** The environment variables that the settings of one environment are read from, in the order of the file. */
export function findVariables(settings: SettingsFile): SettingFromVariable[] {
  const section = settings.place === undefined ? undefined : findSection(parse(settings), settings.place);
  const keys = [...Object.keys(parameterOfKey), 'adapter', 'url', 'socket'];
  return Object.entries(section ?? {}).flatMap(([key, value]) => {
    const found: SettingFromVariable[] = [];
    replaceErbVariables(keys.includes(key) ? (textOf(value) ?? '') : '', ({ name, fallback }) => {
      found.push({ key, variable: name, hasDefault: fallback !== undefined });
      return '';
    });
    return found;
  });
}

type Mapping = Record<string, unknown>;

function parse({ path, content, origin }: SettingsFile): Mapping {
  const lineCounter = new LineCounter();
  // Ruby's reader is a YAML 1.1 one, and a password of digits must not lose any of them
  const document = parseDocument(content, {
    version: '1.1',
    merge: true,
    intAsBigInt: true,
    lineCounter,
    prettyErrors: false,
  });
  const [error] = document.errors;
  if (error !== undefined) throw notYaml(error, lineCounter.linePos(error.pos[0]).line, content, path);
  const root: unknown = document.toJS({ maxAliasCount: 100 });
  if (isMapping(root)) return root;
  throw invalidSettings(origin, `"${path}" is not a mapping of environments`);
}

/** The parser's message may quote the line, so its code stands in for it. */
function notYaml({ code }: YAMLParseError, line: number, content: string, path: string): Error {
  const hasErb = content.includes('<%');
  return invalidSettings(
    `"${path}", line ${line}`,
    hasErb ? 'ERB makes it something else than YAML' : `it is not YAML (${code})`,
    hasErb ? erbHint : undefined,
  );
}

/** `production`, or `production.replica` where an environment has several databases; then `primary` is the default. */
function findSection(root: Mapping, place: string): Mapping | undefined {
  let section: unknown = root[place];
  if (section === undefined) {
    section = root;
    for (const name of place.split('.')) section = isMapping(section) ? section[name] : undefined;
  }
  if (!isMapping(section)) return undefined;
  return isMapping(section.primary) ? section.primary : section;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  const isScalar = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
  return isScalar ? String(value) : undefined;
}

function names(root: Mapping): string {
  return Object.keys(root)
    .map((name) => `"${name}"`)
    .join(', ');
}
