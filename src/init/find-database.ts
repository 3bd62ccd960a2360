import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { SettingFromVariable } from '../config/readers/database-yml.ts';
import { resolveConnection } from '../connection/resolve-connection.ts';
import type { ConnectionSettings } from '../connection/settings.ts';
import { TendError } from '../errors.ts';
import { silentLog } from '../log.ts';
import type { SecretRegistry } from '../redact.ts';
import type { Finding, Rejection } from './finding.ts';
import { listDirectory, readIfReadable } from './list-directory.ts';

export interface FindDatabaseOptions {
  folder: string;
  env: NodeJS.ProcessEnv;
  osUser: string | undefined;
  home: string;
  /** Gets every password that is met. */
  secrets: SecretRegistry;
}

/** What `[database]` says: a reference, never a password. */
export type DatabaseReference = { from: string } | { url: `env:${string}` };

export interface FoundDatabase {
  database: Finding<DatabaseReference> | undefined;
  rejected: Rejection[];
}

const railsFile = 'config/database.yml';
const railsReference = `${railsFile}#production`;

const postgresUrl = /^(?:postgres|postgresql|postgis|psql|pgsql)(?:\+\w+)?:\/\//i;

/**
 * Looks for the application's own database settings: a Paste Deploy .ini, .env, Rails' database.yml, and DATABASE_URL of the
 * environment, which Django is often given. The first that the readers understand wins, production before development, and one that
 * needs variables which are not set here only where nothing else does; nothing is connected to.
 */
export async function findDatabase(options: FindDatabaseOptions): Promise<FoundDatabase> {
  const rejected: Rejection[] = [];
  const usable: { finding: Finding<DatabaseReference>; unset: string[] }[] = [];
  for (const reference of await candidates(options)) {
    const source = sourceOf(reference);
    try {
      const variables = await variablesOfYml(reference, options);
      const settings = await resolve(reference, variables, options);
      const why = describe(source, settings) + describeVariables(variables);
      const unset = variables.filter((one) => isUnset(one, options)).map(({ variable }) => variable);
      usable.push({ finding: { value: reference, why }, unset });
    } catch (error) {
      if (!(error instanceof TendError)) throw error;
      rejected.push({ source, why: error.message });
    }
  }
  const chosen = usable.find(({ unset }) => unset.length === 0) ?? usable[0];
  for (const one of usable) {
    if (one === chosen) continue;
    const [missing] = one.unset;
    const why =
      missing === undefined
        ? 'usable as well, but the one above comes first'
        : `it needs the environment variable ${missing}, which is not set here`;
    rejected.push({ source: sourceOf(one.finding.value), why });
  }
  return { database: chosen?.finding, rejected };
}

function isUnset(
  { variable, hasDefault }: SettingFromVariable,
  { env }: Pick<FindDatabaseOptions, 'env'>,
): boolean {
  return !hasDefault && env[variable] === undefined;
}

async function candidates({ folder, env }: FindDatabaseOptions): Promise<DatabaseReference[]> {
  const found: DatabaseReference[] = [];
  for (const name of inOrder(await listDirectory(folder))) {
    const content = (await readIfReadable(join(folder, name))) ?? '';
    if (name.endsWith('.ini')) {
      if (/^\s*\[(app|composite|pipeline):main\]/m.test(content)) found.push({ from: `${name}#app:main` });
    } else {
      for (const variable of variablesOf(content)) found.push({ from: `${name}#${variable}` });
    }
  }
  const rails = await readIfReadable(join(folder, railsFile));
  if (rails !== undefined) found.push({ from: railsReference });
  if (env.DATABASE_URL !== undefined && env.DATABASE_URL !== '') found.push({ url: 'env:DATABASE_URL' });
  return found;
}

/** .ini and .env files that settings of a running site may be in: what says production first, development last. */
function inOrder(names: readonly string[]): string[] {
  const rank = (name: string) => (/prod/i.test(name) ? 0 : /dev|local/i.test(name) ? 2 : 1);
  return names
    .filter((name) => name.endsWith('.ini') || /^\.env(\.[\w-]+)?$/.test(name))
    .filter((name) => !/test|example|sample|template|dist$/i.test(name))
    .sort((a, b) => rank(a) - rank(b));
}

/** DATABASE_URL, and whatever else holds a URL of PostgreSQL, such as Flask's SQLALCHEMY_DATABASE_URI. */
function variablesOf(content: string): string[] {
  const variables = Object.entries(parseEnv(content)).filter(
    ([name, value]) => name === 'DATABASE_URL' || postgresUrl.test(value ?? ''),
  );
  const names = variables.map(([name]) => name);
  return names.sort((a, b) => Number(b === 'DATABASE_URL') - Number(a === 'DATABASE_URL'));
}

/** What database.yml reads from the environment, where it says so plainly. */
async function variablesOfYml(
  reference: DatabaseReference,
  { folder, env, secrets }: FindDatabaseOptions,
): Promise<SettingFromVariable[]> {
  if (!('from' in reference) || reference.from !== railsReference) return [];
  const { findVariables } = await import('../config/readers/database-yml.ts');
  const path = join(folder, railsFile);
  const content = (await readIfReadable(path)) ?? '';
  return findVariables({ path, content, place: 'production', origin: reference.from, env, secrets });
}

/**
 * Without the PG* variables of whoever runs this: cron has none. A variable that database.yml names and that is not set here may well be
 * where the application runs: its name stands for it.
 */
async function resolve(
  reference: DatabaseReference,
  variables: readonly SettingFromVariable[],
  { folder, env, osUser, home, secrets }: FindDatabaseOptions,
): Promise<ConnectionSettings> {
  return await resolveConnection({
    configured: reference,
    baseDirectory: folder,
    env:
      'url' in reference
        ? { DATABASE_URL: env.DATABASE_URL }
        : Object.fromEntries(
            variables.map((one) => [
              one.variable,
              isUnset(one, { env }) ? `$${one.variable}` : env[one.variable],
            ]),
          ),
    ...{ osUser, home, log: silentLog, secrets },
  });
}

function sourceOf(reference: DatabaseReference): string {
  return 'from' in reference ? reference.from : reference.url;
}

function describe(source: string, { servers, database, user }: ConnectionSettings): string {
  const hosts = servers.map(({ host }) => host).join(', ');
  const place = `database "${database}" on ${hosts}, as "${user}"`;
  if (source.startsWith('env:')) {
    return `DATABASE_URL is set here: ${place}. cron has no such variable: better put it into .env, and write from = ".env#DATABASE_URL".`;
  }
  return `The application's own settings: ${place}. A password stays there, and is read each time.`;
}

function describeVariables(variables: readonly SettingFromVariable[]): string {
  if (variables.length === 0) return '';
  const which = variables.map(({ key, variable }) => `${key} from ${variable}`).join(', ');
  return ` It takes from the environment: ${which}. cron has no such variable: set it in the crontab or unit too.`;
}
