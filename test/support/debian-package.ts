import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../../node_modules/.cache/tend-debian', import.meta.url));

/**
 * The root folder of a Debian package, unpacked without being installed: `<root>/usr/bin/age`. Fetched once and kept
 * beside the node packages, so it needs no rights; undefined where it cannot be had (no Debian, no network): the test
 * then says that it is skipped.
 */
export function debianPackage(name: string): string | undefined {
  const root = join(cache, name);
  if (existsSync(root)) return root;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, '.fetch-'));
  try {
    execFileSync('apt-get', ['--quiet', '--quiet', 'download', name], {
      cwd: work,
      stdio: 'ignore',
      timeout: 60_000,
    });
    const file = readdirSync(work).find((entry) => entry.endsWith('.deb'));
    if (file === undefined) return undefined;
    execFileSync('dpkg', ['--extract', join(work, file), join(work, 'root')], {
      stdio: 'ignore',
      timeout: 60_000,
    });
    renameSync(join(work, 'root'), root);
    return root;
  } catch {
    return existsSync(root) ? root : undefined; // another test file may have been quicker
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
