import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { TendError } from '../errors.ts';

/**
 * The absolute path of the program `file`, looked up as execvp(3) does: a name with a slash is relative to `cwd`,
 * any other is searched on `searchPath`.
 *
 * @throws TendError TOOL_NOT_FOUND naming the program and where it was looked for, or the directory that is missing.
 */
export function findProgram(options: { file: string; searchPath: string; cwd: string }): string {
  const { file, searchPath, cwd } = options;
  if (!isDirectory(cwd)) {
    throw new TendError('TOOL_NOT_FOUND', `Directory "${cwd}", where "${file}" is to run, does not exist.`, {
      hint: `Check the path: ls -ld ${cwd}`,
      isPermanent: true,
    });
  }
  if (file.includes('/')) {
    const path = resolve(cwd, file);
    if (isExecutable(path)) return path;
    throw new TendError('TOOL_NOT_FOUND', `Program "${path}" does not exist or is not executable.`, {
      hint: `Check the path, and that it is executable: ls -l ${path}`,
      isPermanent: true,
    });
  }
  for (const directory of searchPath.split(delimiter)) {
    if (directory === '') continue;
    const path = join(directory, file);
    if (isExecutable(path)) return path;
  }
  throw new TendError('TOOL_NOT_FOUND', `Program "${file}" was not found on PATH (${searchPath}).`, {
    hint: 'Install it, or name it by its absolute path; cron runs with a short PATH.',
    isPermanent: true,
  });
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
