import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BackupSet, findBackup } from '../../../src/backups/sets/backup-directory.ts';
import { newBackupId } from '../../../src/backups/sets/backup-id.ts';
import { type Manifest, parseManifest } from '../../../src/backups/sets/manifest.ts';

/** Puts a set as it would have been taken at `at` beside a real one, or into `directory`: the same parts, another manifest. */
export async function cloneSet(
  set: BackupSet,
  options: { at: Date; directory?: string; database?: Partial<Manifest['database']> },
): Promise<BackupSet> {
  const { at, directory = join(set.path, '..'), database } = options;
  const id = newBackupId(at);
  const path = join(directory, id);
  await cp(set.path, path, { recursive: true });
  const file = join(path, 'manifest.json');
  const manifest = parseManifest(await readFile(file, 'utf8'), file);
  const times = { startedAt: at.toISOString(), finishedAt: new Date(at.getTime() + 1000).toISOString() };
  const changed = { ...manifest, ...times, id, database: { ...manifest.database, ...database } };
  await writeFile(file, JSON.stringify(changed));
  return await findBackup({ source: id, directory, baseDirectory: '/' });
}
