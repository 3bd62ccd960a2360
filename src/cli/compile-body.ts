import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { appControls } from '../app/app-controls.ts';
import { TendError } from '../errors.ts';
import { findCatalogState } from '../translations/catalog-state.ts';
import { compileExitCode } from '../translations/compile-report.ts';
import { compileTranslations } from '../translations/compile-translations.ts';
import { findKeptDirectory } from '../translations/find-kept-directory.ts';
import type { DiagnosticFormat } from '../translations/format-diagnostics.ts';
import { undoTranslations } from '../translations/undo-translations.ts';
import type { CommandContext, CommandOutcome } from './command-context.ts';
import { renderCompiled, renderUndone } from './render-compiled.ts';

export interface CompileFlags {
  check: boolean;
  format: DiagnosticFormat;
  locale: readonly string[];
  exclude: readonly string[];
  force: boolean;
  undo: boolean;
  'use-fuzzy': boolean;
  'on-bad-message'?: 'fail' | 'drop' | undefined;
  'max-drop'?: number | undefined;
  'no-restart': boolean;
}

/** `tend compile-translations`. */
export async function compileBody(
  context: CommandContext,
  flags: CompileFlags,
  paths: readonly string[],
): Promise<CommandOutcome> {
  const { config, cwd, baseDirectory, log, progress, signal } = context;
  const configured = config.translations.paths.map((path) => resolve(baseDirectory, path));
  const given = paths.map((path) => resolve(cwd, path));
  const report = await compileTranslations({
    cwd,
    roots: given.length > 0 ? given : configured,
    linkRoots: configured,
    locales: flags.locale,
    excluded: flags.exclude,
    useFuzzy: flags['use-fuzzy'],
    onBadMessage: flags['on-bad-message'] ?? config.translations.on_bad_message,
    maxDropPercent: flags['max-drop'] ?? config.translations.max_drop,
    isCheckOnly: flags.check,
    isForced: flags.force,
    keptDirectory: await findKeptDirectory(context),
    store: flags.check ? undefined : await findStore(context),
    app: flags['no-restart'] ? {} : appControls({ ...context, app: config.app }),
    ...{ log, progress, signal },
  });
  return {
    result: report,
    exitCode: compileExitCode(report),
    render: (output) => renderCompiled(report, output, flags.format),
  };
}

/** `tend compile-translations --undo`. */
export async function undoCompiledBody(
  context: CommandContext,
  flags: CompileFlags,
  paths: readonly string[],
): Promise<CommandOutcome> {
  if (paths.length > 0) {
    throw new TendError('USAGE', '--undo puts the whole last set back: it takes no PATH.', {
      hint: 'tend compile-translations --undo',
    });
  }
  const { config, log, progress, signal } = context;
  const report = await undoTranslations({
    keptDirectory: await findKeptDirectory(context),
    store: await findStore(context),
    app: flags['no-restart'] ? {} : appControls({ ...context, app: config.app }),
    ...{ log, progress, signal },
  });
  return { result: report, render: (output) => renderUndone(report, output) };
}

async function findStore(context: CommandContext) {
  return await findCatalogState({ ...context, host: context.config.tasks.host ?? hostname() });
}
