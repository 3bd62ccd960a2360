import { findProgram } from '../../processes/find-program.ts';
import type { Surroundings } from '../find-surroundings.ts';
import type { FindingStatus } from './doctor-check.ts';

/** Something that the ticks will not find. */
export interface CronTrouble {
  status: Exclude<FindingStatus, 'ok'>;
  text: string;
  fix: string;
}

export interface CompareSurroundingsOptions {
  /** What this process finds, and what a line of a crontab has found. */
  here: Surroundings;
  there: Surroundings;
  /** Our environment, and that of the line. */
  env: NodeJS.ProcessEnv;
  cronEnv: Readonly<Record<string, string>>;
  /** Settings in force here by a variable: `TEND_TASKS_CONCURRENCY`. */
  overlays: readonly string[];
  /** Where a variable is to be set for the line: `crontab -e, in a line above the tick`. */
  placeOfSettings: string;
}

/** What is there for this shell and not for cron, with what puts it right. */
export function compareSurroundings(options: CompareSurroundingsOptions): CronTrouble[] {
  return [...ofVariables(options), ...ofConnection(options), ...ofPrograms(options), ...ofOverlays(options)];
}

function ofVariables({ there, env, placeOfSettings }: CompareSurroundingsOptions): CronTrouble[] {
  return there.missingVariables.flatMap(({ key, variable, use, text }): CronTrouble[] => {
    const isHere = env[variable] !== undefined && env[variable] !== '';
    // What a command is to be given may be optional; one that has it here will want it there.
    if (use === 'passed' && !isHere) return [];
    const other = key === 'database.url' ? `; or [database] from = ".env#${variable}" in tend.toml` : '';
    return [
      {
        status: use === 'passed' ? 'warn' : 'fail',
        text: `${text}${isHere ? ' there: it is set in your shell only' : ''}`,
        fix: `${placeOfSettings}: ${variable}=…${other}`,
      },
    ];
  });
}

function ofConnection(options: CompareSurroundingsOptions): CronTrouble[] {
  const { here, there, env, cronEnv, placeOfSettings } = options;
  const own = Object.keys(env).filter((name) => /^PG[A-Z]/.test(name) && cronEnv[name] === undefined);
  const why =
    own.length === 0 ? '' : `; ${own.join(', ')} ${own.length === 1 ? 'is' : 'are'} set in your shell only`;
  const given = own.includes('PGPASSWORD')
    ? `The password into ~/.pgpass (mode 600); the others ${placeOfSettings}`
    : `${placeOfSettings}: ${own.map((name) => `${name}=…`).join(' ')}`;
  const fix =
    own.length === 0 ? 'tend config --origin, and name the database in tend.toml: [database]' : given;
  if (there.connectionProblem !== null)
    return [{ status: 'fail', text: `${there.connectionProblem}${why}`, fix }];
  if (here.connection === null || there.connection === null) return [];
  const isSame = describe(here.connection) === describe(there.connection);
  if (!isSame)
    return [
      {
        ...{ status: 'fail', fix },
        text: `it connects to ${describe(there.connection)}, and this shell to ${describe(here.connection)}${why}`,
      },
    ];
  if (here.connection.hasPassword && !there.connection.hasPassword)
    return [{ status: 'fail', text: `it has no password for ${describe(there.connection)}${why}`, fix }];
  return [];
}

function describe({ place, user }: NonNullable<Surroundings['connection']>): string {
  return `${place} as "${user}"`;
}

/** What is missing here as well is not cron's fault. */
function ofPrograms({ here, there, env }: CompareSurroundingsOptions): CronTrouble[] {
  const missingHere = here.missingPrograms.map(({ key }) => key);
  return there.missingPrograms
    .filter(({ key }) => !missingHere.includes(key))
    .map(({ key, program }) => ({
      status: 'fail',
      text: `${key}: "${program}" is on your PATH, and not on that of cron (${there.searchPath})`,
      fix: `In tend.toml, ${key}: "${findProgram({ file: program, searchPath: env['PATH'] ?? '', cwd: '/' })}" instead of "${program}"`,
    }));
}

function ofOverlays({ overlays, cronEnv, placeOfSettings }: CompareSurroundingsOptions): CronTrouble[] {
  return overlays
    .filter((name) => cronEnv[name] === undefined)
    .map((name) => ({
      status: 'warn',
      text: `${name} is set in your shell only: ticks go by tend.toml`,
      fix: `unset ${name}; or ${placeOfSettings}: ${name}=…`,
    }));
}
