import { listEnvironmentSettings, otherVariables, variableOf } from '../config/environment-settings.ts';
import { configSchema } from '../config/schema.ts';

/** Variables that are not ours and mean to us what they mean to others. */
const sharedVariables = {
  DATABASE_URL: 'the database, where tend.toml says nothing about it',
  'PGHOST, PGPORT, PGUSER, PGPASSWORD, PGSERVICE …': 'as libpq reads them, for what is left open',
  NO_COLOR: 'no colours (https://no-color.org)',
  FORCE_COLOR: 'colours although the output is no terminal; 0 for none',
  TERM: '"dumb": no colours, no live steps',
  CI: 'set: the summary line is printed although the output is no terminal',
  XDG_CACHE_HOME: 'compiled code is kept below it; default ~/.cache',
};

/** Every variable that changes what tend does, for `help environment`. */
export function listEnvironmentVariables(): { name: string; meaning: string }[] {
  const settings = listEnvironmentSettings(configSchema).map((path) => ({
    name: variableOf(path),
    meaning: `[${path.slice(0, -1).join('.')}] ${path.at(-1)}`,
  }));
  const others = Object.entries({ ...otherVariables, ...sharedVariables });
  return [...others.map(([name, meaning]) => ({ name, meaning })), ...settings];
}
