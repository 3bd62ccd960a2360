import { systemClock } from '../../src/clock.ts';
import { progressToLog, silentLog } from '../../src/log.ts';
import { compileTranslations } from '../../src/translations/compile-translations.ts';

/** A run to be killed: `node killed-run.ts FOLDER`. Says when its new catalogs are live, and then restarts for ever. */
const root = process.argv[2] ?? '';
await compileTranslations({
  cwd: root,
  roots: [root],
  locales: [],
  excluded: [],
  useFuzzy: false,
  onBadMessage: 'fail',
  isCheckOnly: false,
  isForced: false,
  store: undefined,
  app: {
    restart: async () => {
      process.stdout.write(`installed ${systemClock.now().toISOString()}\n`);
      await new Promise(() => setInterval(() => {}, 1000));
      return { tookMs: 0 };
    },
  },
  log: silentLog,
  progress: progressToLog(silentLog),
  signal: new AbortController().signal,
});
