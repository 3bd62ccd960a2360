import { findMissingVariables, type MissingVariable } from '../config/find-missing-variables.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { type ConnectionSettings, describeConnection } from '../connection/settings.ts';
import { TendError } from '../errors.ts';
import { findProgram } from '../processes/find-program.ts';
import type { SecretRegistry } from '../redact.ts';

/** A program of tend.toml that is not on PATH. */
export interface MissingProgram {
  /** The setting that names it: `app.restart`. */
  key: string;
  program: string;
  text: string;
}

/** What an environment makes of the configuration. Nothing of it is secret. */
export interface Surroundings {
  /** Which database it leads to; null where it leads to none. */
  connection: { place: string; user: string; hasPassword: boolean; origin: string } | null;
  /** Why it leads to none, unless it is for want of a variable. */
  connectionProblem: string | null;
  /** PATH of what is run. */
  searchPath: string;
  missingVariables: MissingVariable[];
  missingPrograms: MissingProgram[];
}

/** Looks at variables, PATH and the settings of the connection. Connects to nothing and runs nothing. */
export async function findSurroundings(options: {
  loadedConfig: LoadedConfig;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  connection(): Promise<ConnectionSettings>;
}): Promise<Surroundings> {
  const { loadedConfig, env, secrets } = options;
  const searchPath = env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'; // as childEnvironment has it
  const { settings, problem } = await resolve(options.connection);
  const missing = findMissingVariables({ loaded: loadedConfig, env, secrets });
  return {
    connection: settings === undefined ? null : summarise(settings),
    // A variable that is missing says it better.
    connectionProblem: missing.some(({ key }) => key.startsWith('database.')) ? null : (problem ?? null),
    missingVariables: missing,
    ...{ searchPath, missingPrograms: findMissingPrograms(loadedConfig, searchPath) },
  };
}

async function resolve(
  connection: () => Promise<ConnectionSettings>,
): Promise<{ settings?: ConnectionSettings; problem?: string }> {
  try {
    return { settings: await connection() };
  } catch (error) {
    if (!(error instanceof TendError)) throw error;
    return { problem: error.message };
  }
}

function summarise(settings: ConnectionSettings): Surroundings['connection'] {
  const { user, origin, servers } = settings;
  const hasPassword = servers.some(({ password }) => password !== undefined);
  return { place: describeConnection(settings), user, hasPassword, origin };
}

/** Those named without a slash: any other path is the same in every environment. */
function findMissingPrograms({ config }: LoadedConfig, searchPath: string): MissingProgram[] {
  const commands: [key: string, command: readonly string[] | undefined][] = [
    ['app.restart', config.app.restart],
    ['app.check.command', config.app.check?.command],
    ...Object.entries(config.tasks.kinds).map(([kind, { command }]): [string, string[] | undefined] => [
      `tasks.kinds.${kind}.command`,
      command,
    ]),
  ];
  return commands.flatMap(([key, command]) => {
    const program = command?.[0];
    if (program === undefined || program.includes('/')) return [];
    try {
      findProgram({ file: program, searchPath, cwd: '/' });
      return [];
    } catch (error) {
      if (!(error instanceof TendError)) throw error;
      return [{ key, program, text: `${key}: ${error.message}` }];
    }
  });
}
