import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPostgresTool } from '../../../src/backups/tools/run-postgres-tool.ts';
import { silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test.each([
  ['error: could not execute query: FATAL:  terminating connection due to administrator command', 69],
  ['error: could not execute query: server closed the connection unexpectedly', 69],
  ['error: COPY failed: could not receive data from server: Connection reset by peer', 69],
  ['error: connection to server at "127.0.0.1", port 5432 failed: Connection refused', 69],
  ['error: could not execute query: ERROR:  type "mood" does not exist', 1],
])('a program that says "%s" ends with exit code %i', async (said, exitCode) => {
  await using place = await temporaryDirectory();
  const file = join(place.path, 'pg_restore');
  writeFileSync(file, `#!/bin/sh\necho 'pg_restore: ${said}' >&2\nexit 1\n`);
  chmodSync(file, 0o755);
  const options = { file, args: [], baseEnv: process.env, secrets: new SecretRegistry(), log: silentLog };
  await expect(runPostgresTool({ ...options, signal: new AbortController().signal })).rejects.toMatchObject({
    exitCode,
    message: expect.stringContaining(said.slice(7, 40)),
  });
});
