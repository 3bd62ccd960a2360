import { resolve } from 'node:path';
import { type FindConfigOptions, findConfig } from '../config/find-config.ts';
import { TendError } from '../errors.ts';

/**
 * Which site's lines are to go: by the path alone, since its tend.toml may be broken, or gone.
 *
 * @throws TendError CONFIG_NOT_FOUND where nothing names one.
 */
export function configPathToRemove(options: FindConfigOptions): string {
  const { cwd, configFlag } = options;
  const path = configFlag === undefined ? findConfig(options) : resolve(cwd, configFlag);
  if (path !== undefined) return path;
  throw new TendError('CONFIG_NOT_FOUND', 'There is no tend.toml here or in a folder above.', {
    hint: 'tend crontab remove --config FILE, as the marked lines name it',
  });
}
