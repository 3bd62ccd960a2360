import { findProgram } from './find-program.ts';

/** Whether `runTool` would find the program on PATH. */
export function isInstalled(program: string, env: NodeJS.ProcessEnv): boolean {
  try {
    findProgram({ file: program, searchPath: env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', cwd: '/' });
    return true;
  } catch {
    return false;
  }
}
