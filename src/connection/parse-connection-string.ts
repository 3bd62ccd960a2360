import type { SecretRegistry } from '../redact.ts';
import { invalidSettings } from './invalid-settings.ts';
import type { ConnectionParameters } from './libpq-parameters.ts';
import { parseConninfo } from './parse-conninfo.ts';
import { parseUri } from './parse-uri.ts';

export interface ConnectionText {
  text: string;
  /** Where the text stands, for messages: `DATABASE_URL`, `production.ini#app:main`. */
  origin: string;
  /** Gets every password in the text, before anything can fail. */
  secrets: SecretRegistry;
}

// SQLAlchemy's postgresql+psycopg2, GeoDjango's postgis, django-environ's psql and pgsql, JDBC's prefix
const postgresScheme = /^(?:jdbc:)?(?:postgres|postgresql|postgis|psql|pgsql)(\+[a-z0-9_]+)?:\/\//i;

/** Reads a URL or a `key=value` string into libpq's parameters; schemes of other libraries are understood. */
export function parseConnectionString({ text, origin, secrets }: ConnectionText): ConnectionParameters {
  const trimmed = text.trim();
  const scheme = postgresScheme.exec(trimmed);
  if (scheme !== null) {
    const rest = trimmed.slice(scheme[0].length);
    return parseUri({ rest, origin, secrets, hasDriverName: scheme[1] !== undefined });
  }
  const other = /^([a-z][a-z0-9+.-]*):\/\//i.exec(trimmed)?.[1];
  if (other !== undefined) {
    throw invalidSettings(origin, `a URL of the form postgresql://… was expected, not ${other}://…`);
  }
  return parseConninfo({ text: trimmed, origin, secrets });
}
