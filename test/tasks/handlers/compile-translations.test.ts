import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { withoutConfig } from '../../../src/config/load-config.ts';
import { progressToLog, silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { compileTranslations } from '../../../src/tasks/handlers/compile-translations.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';

let database: TestDatabase;
let directory: TemporaryDirectory;
beforeAll(async () => {
  database = await createTestDatabase();
  directory = await temporaryDirectory();
  await mkdir(at('site/locale'), { recursive: true });
  await mkdir(at('other'));
  const po = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "one"\nmsgstr "jeden"\n';
  for (const name of ['site/locale/pl.po', 'other/pl.po']) await writeFile(at(name), po);
  await symlink('../../other', at('site/locale/link'));
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

const at = (name: string) => join(directory.path, name);

async function run(paths: string[]) {
  const { config } = withoutConfig(at('site'));
  await using db = await database.openDatabase();
  return await compileTranslations.run({
    ...{ id: 1, kind: 'compile-translations', attempt: 1, payload: { paths } },
    context: {
      config: { ...config, translations: { ...config.translations, paths: ['locale'] } },
      baseDirectory: at('site'),
      connection: database.connection,
      db,
      clock: systemClock,
      env: { ...process.env, XDG_STATE_HOME: at('state') },
      secrets: new SecretRegistry(),
    },
    signal: new AbortController().signal,
    log: silentLog,
    progress: progressToLog(silentLog),
    enqueue() {},
  });
}

it.each(['locale', 'locale/pl.po'])('compiles the path %s of the configuration', async (path) => {
  await expect(run([path])).resolves.toMatchObject({ outcome: 'succeeded' });
});

it.each(['../other', '../other/pl.po', '.', 'locale/link', '/no/such/folder', 'locale/../../other'])(
  'refuses the path %s of a payload for good: it lies outside of the configured ones',
  async (path) => {
    await expect(run(['locale', path])).rejects.toMatchObject({
      code: 'PAYLOAD_INVALID',
      isPermanent: true,
      message: `The path "${resolve(at('site'), path)}" of the payload lies outside of the folders of [translations] paths in tend.toml.`,
    });
    await expect(readFile(at('other/pl.mo'))).rejects.toThrow('ENOENT');
  },
);
