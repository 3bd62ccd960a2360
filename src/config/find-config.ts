import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { TendError } from '../errors.ts';

const configFileName = 'tend.toml';

export interface FindConfigOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** `--config FILE`. */
  configFlag: string | undefined;
}

/**
 * The `tend.toml` in force: `--config`, else TEND_CONFIG, else the nearest one from the working directory upward,
 * else undefined. A file that was named must exist; a file nobody named need not.
 */
export function findConfig({ cwd, env, configFlag }: FindConfigOptions): string | undefined {
  if (configFlag !== undefined) return named(cwd, configFlag, '--config');
  const variable = env.TEND_CONFIG;
  if (variable !== undefined && variable !== '') return named(cwd, variable, 'TEND_CONFIG');
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const file = join(directory, configFileName);
    if (existsSync(file)) return file;
    if (dirname(directory) === directory) return undefined;
  }
}

function named(cwd: string, name: string, by: string): string {
  const file = resolve(cwd, name);
  if (existsSync(file)) return file;
  throw new TendError('CONFIG_NOT_FOUND', `The configuration file "${file}" named by ${by} does not exist`, {
    hint: 'tend config schema prints what such a file may hold',
  });
}
