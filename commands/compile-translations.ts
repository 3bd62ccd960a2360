import { resolve } from 'node:path';
import { string as pathArgument } from '@oclif/core/args';
import { boolean, option, string } from '@oclif/core/flags';
import { appControls } from '../src/app/app-controls.ts';
import { TendCommand } from '../src/cli/base-command.ts';
import type { Output } from '../src/cli/output.ts';
import { findCatalogState } from '../src/translations/catalog-state.ts';
import {
  type CompileReport,
  compileExitCode,
  describeReport,
  diagnosticLines,
} from '../src/translations/compile-report.ts';
import { compileTranslations } from '../src/translations/compile-translations.ts';

export default class CompileTranslations extends TendCommand {
  static override summary = 'Compile changed .po message catalogs to .mo, as one set.';
  static override description =
    'Catalogs are found under PATH (or translations.paths of tend.toml) as LOCALE/LC_MESSAGES/NAME.po and LOCALE.po. All are checked before the first .mo is replaced; then the application is restarted and checked, and if it does not come back the old set is put back.';
  static override examples = [
    '<%= config.bin %> compile-translations',
    '<%= config.bin %> compile-translations --check locale/ --json',
    '<%= config.bin %> compile-translations --locale pl --locale de --no-restart',
  ];
  static override args = {
    path: pathArgument({ description: 'Folders to search, and .po files.', multiple: true }),
  };
  static override flags = {
    check: boolean({ summary: 'Only check: write nothing, use no database, restart nothing.' }),
    locale: string({
      summary: 'Only this locale.',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'LOCALE',
      default: [],
    }),
    exclude: string({
      summary: 'Not this locale.',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'LOCALE',
      default: [],
    }),
    'use-fuzzy': boolean({ summary: 'Ship translations that are marked fuzzy, too.' }),
    'on-bad-message': option({
      summary: 'Whether a bad message fails the run or is left out. Default: translations.on_bad_message.',
      options: ['fail', 'drop'] as const,
    })(),
    force: boolean({ summary: 'Install also what is the same already.' }),
    'no-restart': boolean({ summary: 'Neither restart nor check the application.' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(CompileTranslations);
    const { check: isCheckOnly, force: isForced, 'use-fuzzy': useFuzzy } = flags;
    await this.execute(flags, async (context) => {
      const { config, cwd, baseDirectory, log, progress, signal } = context;
      const configured = config.translations.paths.map((path) => resolve(baseDirectory, path));
      const given = (args.path ?? []).map((path) => resolve(cwd, path));
      const host = config.tasks.host ?? this.host.hostname;
      const report = await compileTranslations({
        cwd,
        roots: given.length > 0 ? given : configured,
        linkRoots: configured,
        locales: flags.locale,
        excluded: flags.exclude,
        useFuzzy,
        onBadMessage: flags['on-bad-message'] ?? config.translations.on_bad_message,
        isCheckOnly,
        isForced,
        store: isCheckOnly ? undefined : await findCatalogState({ ...context, host }),
        app: flags['no-restart'] ? {} : appControls({ ...context, app: config.app }),
        log,
        progress,
        signal,
      });
      return {
        result: report,
        exitCode: compileExitCode(report),
        render: (output) => render(report, output),
      };
    });
  }
}

/** Diagnostics on stdout, where editors and CI systems look for them; the table is for a terminal only. */
function render(report: CompileReport, output: Output): void {
  for (const line of diagnosticLines(report)) output.print(line);
  if (output.isTerminal && !output.isQuiet) {
    const columns = ['LOCALE', 'RESULT', 'TRANSLATED', 'FUZZY', 'UNTRANSLATED', 'CATALOG'];
    const rows = report.catalogs
      .filter(({ result }) => result !== 'unchanged')
      .map(({ locale, result, translated, fuzzy, untranslated, path }) =>
        [locale, result, translated, fuzzy, untranslated, path].map((cell) => String(cell ?? '')),
      );
    if (rows.length > 0) output.table(columns, rows);
  }
  if (compileExitCode(report) === 0) output.summary(describeReport(report));
  else output.warn(describeReport(report));
}
