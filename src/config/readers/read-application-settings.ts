import { readFile } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import type { ConnectionParameters } from '../../connection/libpq-parameters.ts';
import { TendError } from '../../errors.ts';
import type { SecretRegistry } from '../../redact.ts';

export interface ApplicationSettingsOptions {
  /** `FILE#PLACE`, as in `from = "production.ini#app:main"`. */
  reference: string;
  /** Where the reference stands, for messages: `tend.toml [database]`. */
  section: string;
  baseDirectory: string;
  /** Where a file refers to it, as database.yml may. */
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
}

/** A URL still to be parsed, or settings that are apart from each other already. */
export type ApplicationSettings =
  | { url: string; origin: string }
  | { parameters: ConnectionParameters; origin: string };

/** What one reader gets. */
export interface SettingsFile {
  path: string;
  content: string;
  /** What follows `#`; undefined where nothing does. */
  place: string | undefined;
  origin: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
}

/**
 * Reads the database settings the application already has: a Paste Deploy .ini, a .env file, or Rails' database.yml.
 *
 * @throws TendError CONFIG_INVALID for a reference that means nothing,
 *   CONNECTION_SETTINGS_INVALID for files that cannot be read or understood, with the line where it is known.
 */
export async function readApplicationSettings(
  options: ApplicationSettingsOptions,
): Promise<ApplicationSettings> {
  const { reference, section, baseDirectory, env, secrets } = options;
  const hash = reference.indexOf('#');
  const name = hash === -1 ? reference : reference.slice(0, hash);
  const place = hash === -1 ? undefined : reference.slice(hash + 1);
  const read = await readerOf(name, reference, section);
  const path = resolve(baseDirectory, name);
  const content = await readSettingsFile(path, `${section} from = "${reference}"`);
  return await read({
    ...{ path, content, place: place === '' ? undefined : place, origin: reference, env, secrets },
  });
}

type Reader = (file: SettingsFile) => ApplicationSettings | Promise<ApplicationSettings>;

async function readerOf(name: string, reference: string, section: string): Promise<Reader> {
  const extension = extname(name).toLowerCase();
  const base = basename(name);
  if (['.ini', '.cfg', '.conf'].includes(extension)) return (await import('./paste-ini.ts')).readPasteIni;
  if (['.yml', '.yaml'].includes(extension)) return (await import('./database-yml.ts')).readDatabaseYml;
  if (base.startsWith('.env') || extension === '.env') return (await import('./dotenv.ts')).readDotenv;
  throw new TendError('CONFIG_INVALID', `${section} from = "${reference}" names a file of unknown kind.`, {
    isPermanent: true,
    hint: 'Known are "production.ini#app:main", ".env#DATABASE_URL" and "config/database.yml#production".',
  });
}

/** Reads a settings file, or says who asked for it and why it cannot be read. */
export async function readSettingsFile(path: string, askedBy: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const reason = code === 'ENOENT' ? 'it does not exist' : `it cannot be read (${String(code)})`;
    throw new TendError(
      'CONNECTION_SETTINGS_INVALID',
      `${askedBy} names the file "${path}", but ${reason}.`,
      {
        cause: error,
        isPermanent: true,
      },
    );
  }
}
