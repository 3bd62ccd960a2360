import { realpath } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import * as v from 'valibot';
import { appControls } from '../../app/app-controls.ts';
import { TendError } from '../../errors.ts';
import { progressToLog } from '../../log.ts';
import { catalogStateInDatabase } from '../../translations/catalog-state.ts';
import { badCatalogsError, describeReport, diagnosticLines } from '../../translations/compile-report.ts';
import { compileTranslations as compile } from '../../translations/compile-translations.ts';
import { findKeptDirectory } from '../../translations/find-kept-directory.ts';
import { isInside } from '../../translations/link-bounds.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

const names = v.array(v.pipe(v.string(), v.nonEmpty()));

const payloadSchema = v.strictObject({
  /** Instead of `translations.paths`; relative to the configuration's folder. */
  paths: v.optional(names),
  /** Only these locales. */
  locales: v.optional(names),
  /** Install also what is the same already, and restart the application. */
  force: v.optional(v.boolean()),
});

type Payload = v.InferOutput<typeof payloadSchema>;

/**
 * Kind `compile-translations`: the catalogs of the configuration as one set, with restart and check of the application.
 * Bad catalogs fail the task for good; messages left out (`on_bad_message = "drop"`) are exit code 3.
 */
export const compileTranslations: TaskHandler<Payload> = { payloadSchema, run };

async function run({ context, payload, log, signal }: RunningTask<Payload>): Promise<TaskResult> {
  const { config, baseDirectory, db } = context;
  const configured = config.translations.paths.map((path) => resolve(baseDirectory, path));
  const given = payload.paths?.map((path) => resolve(baseDirectory, path));
  if (given !== undefined) await refusePathsOutside(configured, given);
  const report = await compile({
    cwd: baseDirectory,
    roots: given ?? configured,
    linkRoots: configured,
    areSourcesBound: given !== undefined,
    locales: payload.locales ?? [],
    excluded: [],
    useFuzzy: false,
    onBadMessage: config.translations.on_bad_message,
    maxDropPercent: config.translations.max_drop,
    keptDirectory: await findKeptDirectory(context),
    isCheckOnly: false,
    isForced: payload.force ?? false,
    store: catalogStateInDatabase(db, config.tasks.host ?? hostname()),
    app: appControls({ ...context, app: config.app, log }),
    progress: progressToLog(log),
    log,
    signal,
  });
  for (const line of diagnosticLines(report)) log.info(line);
  log.info(describeReport(report));
  if (report.failed > 0) throw badCatalogsError(report);
  const { installed, unchanged, dropped } = report;
  return { outcome: 'succeeded', evidence: { installed, unchanged, dropped }, exitCode: dropped > 0 ? 3 : 0 };
}

/** Whoever may enqueue tasks may run the catalogs of the configuration, but not write into any folder of this host. */
async function refusePathsOutside(configured: readonly string[], given: readonly string[]): Promise<void> {
  const real = async (path: string) => await realpath(path).catch(() => path);
  const places = await Promise.all(configured.map(real));
  for (const path of given) {
    if (isInside(await real(path), places)) continue;
    throw new TendError(
      'PAYLOAD_INVALID',
      `The path "${path}" of the payload lies outside of the folders of [translations] paths in tend.toml.`,
      {
        hint: 'Add the folder to [translations] paths, or run by hand: tend compile-translations PATH',
        isPermanent: true,
      },
    );
  }
}
