import sync from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { progressToLog, silentLog } from '../../src/log.ts';

/**
 * A run to be killed: `node killed-run.ts FOLDER KEPT install|undo STEP`. Dies by SIGKILL before its STEPth change of a
 * file's name; with step 0 it says when its files are live, and then restarts for ever.
 */
const [root = '', keptDirectory = '', what, step] = process.argv.slice(2);
let left = Number(step);
countDown(fs, ['rename', 'rm', 'link']);
countDown(sync, ['renameSync', 'unlinkSync', 'linkSync']);
syncBuiltinESMExports();
const { compileTranslations } = await import('../../src/translations/compile-translations.ts');
const { undoTranslations } = await import('../../src/translations/undo-translations.ts');

const common = {
  keptDirectory,
  store: undefined,
  app: {
    restart: async () => {
      process.stdout.write('live\n');
      if (step === '0') await new Promise(() => setInterval(() => {}, 1000));
      return { tookMs: 0 };
    },
  },
  log: silentLog,
  progress: progressToLog(silentLog),
  signal: new AbortController().signal,
};
if (what === 'undo') await undoTranslations(common);
else {
  await compileTranslations({
    ...common,
    cwd: root,
    roots: [root],
    locales: [],
    excluded: [],
    useFuzzy: false,
    onBadMessage: 'fail',
    maxDropPercent: undefined,
    isCheckOnly: false,
    isForced: false,
  });
}

function countDown(module: Record<string, unknown>, names: readonly string[]): void {
  for (const name of names) {
    const real = module[name] as (...args: never[]) => unknown; // these names are functions there
    module[name] = (...args: never[]) => {
      left -= 1;
      if (left === 0) process.kill(process.pid, 'SIGKILL');
      return real(...args);
    };
  }
}
