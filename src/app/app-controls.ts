import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { Log } from '../log.ts';
import { childEnvironment } from '../processes/child-environment.ts';
import { findProgram } from '../processes/find-program.ts';
import type { SecretRegistry } from '../redact.ts';
import { type AppHealth, checkApp } from './check-app.ts';
import { restartApp } from './restart-app.ts';

export interface AppControlsOptions {
  app: Config['app'];
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  clock: Clock;
  log: Log;
}

/** How to restart and check the application; a part that is not configured is absent. */
export interface AppControls {
  /**
   * Finds the program that restarts the application, before anything is changed: a typing error in its name must not
   * come to light when both the new state and the way back need it.
   *
   * @throws TendError TOOL_NOT_FOUND.
   */
  preflight?: () => void;
  restart?: (signal: AbortSignal) => Promise<{ tookMs: number }>;
  check?: (signal: AbortSignal) => Promise<AppHealth>;
}

/** What `[app]` of the configuration says, as functions for `changeAppSafely`. */
export function appControls(options: AppControlsOptions): AppControls {
  const { app, ...rest } = options;
  const { restart, check } = app;
  return {
    ...(restart && {
      preflight: () => findRestartProgram(restart[0] ?? '', options),
      restart: (signal: AbortSignal) =>
        restartApp({ ...rest, restart, timeoutMs: app.restart_timeout, signal }),
    }),
    ...(check && { check: (signal: AbortSignal) => checkApp({ ...rest, check, signal }) }),
  };
}

function findRestartProgram(file: string, { env, baseDirectory }: AppControlsOptions): void {
  findProgram({ file, searchPath: childEnvironment(env)['PATH'] ?? '', cwd: baseDirectory });
}
