import { resolve } from 'node:path';
import { string } from '@oclif/core/flags';
import type { ConfigOverride } from '../config/load-config.ts';

/** `--identity FILE` of the commands that read encrypted sets. */
export const identityFlag = string({
  summary: 'File with the key of an encrypted set. Default: backup.identity_file.',
  helpValue: 'FILE',
});

/** The flag as the setting that it stands for; a path as typed is relative to where it was typed. */
export function identityOverrides(file: string | undefined, cwd: string): ConfigOverride[] {
  if (file === undefined) return [];
  return [{ path: ['backup', 'identity_file'], value: resolve(cwd, file), flag: '--identity' }];
}
