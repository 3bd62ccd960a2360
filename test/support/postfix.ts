import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { debianPackage } from './debian-package.ts';

/** A program of Postfix and the environment it starts in. */
export interface PostfixProgram {
  path: string;
  env: Record<string, string>;
}

/** Why a test that needs Postfix is skipped. */
export const noPostfix = "Postfix is not installed, and Debian's package postfix cannot be fetched";

/**
 * `smtp-sink` or `smtp-source` as installed, else out of Debian's package, unpacked without being installed: neither
 * needs a configuration, a daemon or rights. Undefined where it cannot be had.
 */
export function postfixProgram(name: 'smtp-sink' | 'smtp-source'): PostfixProgram | undefined {
  const installed = join('/usr/sbin', name);
  if (existsSync(installed)) return { path: installed, env: {} };
  const root = debianPackage('postfix');
  if (root === undefined) return undefined;
  const path = join(root, 'usr/sbin', name);
  return { path, env: { LD_LIBRARY_PATH: join(root, 'usr/lib/postfix') } };
}
