import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findPostgresBinaries } from '../../src/quickstart/find-postgres-binaries.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { testRun } from '../support/test-run.ts';

const programs = ['initdb', 'postgres', 'pg_ctl', 'psql', 'pg_dump', 'pg_restore'];

async function makePrograms(directory: string, names: readonly string[]): Promise<string> {
  await mkdir(directory, { recursive: true });
  for (const name of names) await writeFile(join(directory, name), '#!/bin/sh\n', { mode: 0o755 });
  return directory;
}

describe('PostgreSQL’s programs', () => {
  it('are taken from PATH first', async () => {
    await using directory = await temporaryDirectory();
    const bin = await makePrograms(join(directory.path, 'bin'), programs);
    expect(findPostgresBinaries({ searchPath: `/nonexistent::${bin}:/usr/bin` })).toBe(bin);
  });

  it('are found behind a link to initdb', async () => {
    await using directory = await temporaryDirectory();
    const bin = await makePrograms(join(directory.path, 'opt/bin'), programs);
    await mkdir(join(directory.path, 'links'));
    await symlink(join(bin, 'initdb'), join(directory.path, 'links/initdb'));
    expect(findPostgresBinaries({ searchPath: join(directory.path, 'links') })).toBe(bin);
  });

  it('are not pieced together from several directories', async () => {
    await using directory = await temporaryDirectory();
    const first = await makePrograms(join(directory.path, 'first'), ['initdb', 'postgres']);
    const second = await makePrograms(join(directory.path, 'second'), programs);
    expect(findPostgresBinaries({ searchPath: `${first}:${second}` })).toBe(second);
  });

  it.runIf(testRun().binaries.startsWith('/usr/lib/postgresql/'))(
    'are found where Debian puts them, with the PATH of cron or none',
    () => {
      for (const searchPath of ['/usr/bin:/bin', '', undefined]) {
        expect(findPostgresBinaries({ searchPath })).toMatch(/^\/usr\/lib\/postgresql\/\d+\/bin$/);
      }
    },
  );
});
