import { dirname, resolve } from 'node:path';
import { invalidSettings } from '../../connection/invalid-settings.ts';
import { type IniFile, type IniValue, parseIni } from './ini-file.ts';
import { interpolate } from './interpolate.ts';
import {
  type ApplicationSettings,
  readSettingsFile,
  type SettingsFile,
} from './read-application-settings.ts';

const urlKeys = ['sqlalchemy.url', 'sqlalchemy.default.url', 'database_url', 'database.url', 'db.url'];
const maximalUses = 10;

/** A file with the defaults it was given: `here`, `__file__` and what the file that uses it has in [DEFAULT]. */
interface LoadedFile {
  path: string;
  file: IniFile;
  inherited: Map<string, IniValue>;
}

/**
 * Reads `sqlalchemy.url` of a section as Paste Deploy's loadwsgi does: `%(here)s`, [DEFAULT], `use = other-section`,
 * `use = config:other.ini#section`, and the last application of a [pipeline:…]. What the section says itself wins over
 * what it uses.
 */
export async function readPasteIni(settings: SettingsFile): Promise<ApplicationSettings> {
  const { path, content, place = 'app:main', origin } = settings;
  const loaded: LoadedFile = { path, file: parseIni(content, path), inherited: here(path, new Map()) };
  const url = await findUrl(loaded, place, origin, 0);
  if (url !== undefined && url !== '') return { url, origin };
  throw invalidSettings(origin, `[${place}] in "${path}" has none of ${urlKeys.join(', ')}`);
}

async function findUrl(
  loaded: LoadedFile,
  place: string,
  origin: string,
  depth: number,
): Promise<string | undefined> {
  const { path, file } = loaded;
  if (depth > maximalUses) throw invalidSettings(origin, `the "use" of [${place}] goes round in a circle`);
  const section = findSection(file, place);
  if (section === undefined) {
    const names = [...file.keys()].map((name) => `[${name}]`).join(' ');
    throw invalidSettings(origin, `"${path}" has no section [${place}], only ${names || 'none at all'}`);
  }
  const defaults = new Map([...loaded.inherited, ...(file.get('DEFAULT') ?? [])]);
  const lookup = (name: string) => section.get(name) ?? defaults.get(name);
  const valueOf = (value: IniValue | undefined) =>
    value === undefined ? undefined : interpolate(value, lookup, path);

  const own = urlKeys.find((key) => section.has(key) || section.has(`set ${key}`));
  if (own !== undefined) return valueOf(section.get(own) ?? section.get(`set ${own}`));
  const next = valueOf(section.get('use')) ?? valueOf(section.get('pipeline'))?.split(/\s+/).at(-1);
  const used = next === undefined ? undefined : await follow(next, { loaded, defaults, origin, depth });
  if (used !== undefined) return used;
  return valueOf(urlKeys.map((key) => defaults.get(key)).find((value) => value !== undefined));
}

interface FollowOptions {
  loaded: LoadedFile;
  defaults: Map<string, IniValue>;
  origin: string;
  depth: number;
}

/** `config:FILE#SECTION`, `egg:…` (code: nothing to read there), or another section of the same file. */
async function follow(next: string, options: FollowOptions): Promise<string | undefined> {
  const { loaded, defaults, origin, depth } = options;
  const [, scheme, rest = ''] = /^(?:(\w+):)?([\s\S]*)$/.exec(next) ?? [];
  if (scheme === undefined) return await findUrl(loaded, rest, origin, depth + 1);
  if (scheme !== 'config') return undefined;
  const [name = '', place = 'main'] = rest.split('#');
  if (name === '') return await findUrl(loaded, place, origin, depth + 1);
  const path = resolve(dirname(loaded.path), name);
  const content = await readSettingsFile(path, `"use" in "${loaded.path}"`);
  const other: LoadedFile = { path, file: parseIni(content, path), inherited: here(path, defaults) };
  return await findUrl(other, place, origin, depth + 1);
}

/** Paste Deploy lets `main` stand for [app:main], [composite:main] and the like. */
function findSection(file: IniFile, place: string): Map<string, IniValue> | undefined {
  const prefixes = ['', 'app:', 'application:', 'composite:', 'composit:', 'pipeline:', 'filter-app:'];
  const found = prefixes.map((prefix) => file.get(prefix + place)).find((section) => section !== undefined);
  if (found !== undefined || !place.startsWith('app:')) return found;
  return findSection(file, place.slice('app:'.length));
}

/** `here` and `__file__` are each file's own; a percent sign in a path is no reference. */
function here(path: string, inherited: Map<string, IniValue>): Map<string, IniValue> {
  const literal = (text: string): IniValue => ({ text: text.replaceAll('%', '%%'), line: 0 });
  return new Map([...inherited, ['here', literal(dirname(path))], ['__file__', literal(path)]]);
}
