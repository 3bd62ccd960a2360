import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findCatalogFolders } from './find-catalog-folders.ts';
import { type FindDatabaseOptions, findDatabase } from './find-database.ts';
import { findHealthCheck } from './find-health-check.ts';
import { findServices } from './find-service.ts';
import { readIfReadable } from './list-directory.ts';
import type { FoundApplication } from './propose-config.ts';

export interface FindApplicationOptions extends FindDatabaseOptions {
  /** `/etc`, but for tests. */
  etc: string;
  signal: AbortSignal;
}

/** Looks at an application's folder, and at what on this host names it. Changes nothing. */
export async function findApplication(options: FindApplicationOptions): Promise<FoundApplication> {
  const { folder, etc, signal } = options;
  const database = await findDatabase(options);
  const services = await findServices({ folder, etc });
  const reference = database.database?.value;
  const iniName = reference !== undefined && 'from' in reference ? iniOf(reference.from) : undefined;
  return {
    name: basename(folder),
    framework: await frameworkOf(folder),
    database,
    services,
    health: await findHealthCheck({ folder, iniName, service: services[0], signal }),
    catalogs: await findCatalogFolders({ folder, signal }),
  };
}

function iniOf(from: string): string | undefined {
  const [name = ''] = from.split('#');
  return name.endsWith('.ini') ? name : undefined;
}

async function frameworkOf(folder: string): Promise<string | undefined> {
  if (existsSync(join(folder, 'manage.py'))) return 'Django';
  if (existsSync(join(folder, 'config/database.yml'))) return 'Rails';
  for (const name of ['production.ini', 'development.ini']) {
    const ini = await readIfReadable(join(folder, name));
    if (ini !== undefined) return /^\s*pyramid\./m.test(ini) ? 'Pyramid' : 'Paste Deploy';
  }
  const env = `${await readIfReadable(join(folder, '.flaskenv'))}\n${await readIfReadable(join(folder, '.env'))}`;
  return /^FLASK_/m.test(env) ? 'Flask' : undefined;
}
