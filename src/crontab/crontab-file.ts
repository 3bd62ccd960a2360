import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { TendError } from '../errors.ts';
import { syncPath } from '../sync-path.ts';
import type { CrontabPlace } from './crontab-place.ts';

/**
 * A file such as /etc/cron.d/tend: mode 644, replaced by a rename. The temporary file has a dot in its name, which cron
 * does not read.
 *
 * @throws TendError USAGE for a name that cron would not read.
 */
export function crontabFile(path: string): CrontabPlace {
  const name = basename(path);
  if (!/^[A-Za-z0-9_-]+$/.test(name)) {
    throw new TendError(
      'USAGE',
      `cron would not read a file named "${name}": only letters, digits, "_" and "-" are allowed.`,
      { hint: '--file /etc/cron.d/tend' },
    );
  }
  return {
    name: path,
    namesUser: true,
    async read() {
      try {
        return await readFile(path, 'utf8');
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return '';
        throw new TendError('INPUT_MISSING', `"${path}" cannot be read (${codeOf(error)}).`, {
          cause: error,
        });
      }
    },
    write: async (text) => await replaceFile(path, text),
  };
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.chmod(0o644); // whatever the umask: cron reads it as root, people as themselves
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new TendError('OUTPUT_UNWRITABLE', `"${path}" cannot be written (${codeOf(error)}).`, {
      cause: error,
      hint: 'As root, or in a crontab of your own: tend crontab install',
    });
  }
  await syncPath(dirname(path));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
}
