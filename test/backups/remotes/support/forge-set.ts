import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BackupSet, findBackup } from '../../../../src/backups/sets/backup-directory.ts';

/** A set in `directory` with parts of noise of these sizes: nothing looks into parts on their way to a remote. */
export async function forgeSet(
  directory: string,
  id: string,
  sizes: readonly number[],
  { database = 'forged' } = {},
): Promise<BackupSet> {
  const path = join(directory, id);
  mkdirSync(path, { recursive: true });
  const parts = sizes.map((bytes, index) => {
    const content = randomBytes(bytes);
    const file = index === 0 ? 'database.dump' : `files-${index}.tar`;
    writeFileSync(join(path, file), content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const holds = index === 0 ? 'database' : 'files';
    return { file, holds, compression: 'none', bytes, uncompressedBytes: bytes, sha256 };
  });
  const manifest = {
    ...{ format: 1, id, label: null, taskId: null, host: 'testhost', durationMs: 0 },
    ...{ startedAt: '2026-11-22T02:30:00.000Z', finishedAt: '2026-11-22T02:30:00.000Z' },
    tools: { pgDump: 'pg_dump', compressor: 'none' },
    database: {
      ...{ name: database, serverVersion: '15', serverMajor: 15, systemIdentifier: null, sizeBytes: 0 },
      ...{ owner: 'o', encoding: 'UTF8', localeProvider: 'libc', collate: 'C', ctype: 'C', locale: null },
      ...{ icuRules: null, connectionLimit: -1 },
    },
    ...{ extensions: [], roles: [], tables: [], sequences: [], largeObjects: 0, parts },
  };
  writeFileSync(join(path, 'manifest.json'), JSON.stringify(manifest));
  return await findBackup({ source: id, directory, baseDirectory: '/' });
}
