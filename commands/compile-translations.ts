import { string as pathArgument } from '@oclif/core/args';
import { boolean, option, string } from '@oclif/core/flags';
import { TendCommand } from '../src/cli/base-command.ts';
import { compileBody, undoCompiledBody } from '../src/cli/compile-body.ts';
import { percent } from '../src/cli/percent-flag.ts';
import { diagnosticFormats } from '../src/translations/format-diagnostics.ts';

export default class CompileTranslations extends TendCommand {
  static override summary = 'Compile changed .po message catalogs to .mo, as one set.';
  static override description =
    'Catalogs are found under PATH (or translations.paths of tend.toml) as LOCALE/LC_MESSAGES/NAME.po and LOCALE.po. All are checked before the first .mo is replaced; then the application is restarted and checked, and if it does not come back the old set is put back. --undo does so later.';
  static override examples = [
    '<%= config.bin %> compile-translations',
    '<%= config.bin %> compile-translations --check locale/ --json',
    '<%= config.bin %> compile-translations --check --format github',
    '<%= config.bin %> compile-translations --undo',
    '<%= config.bin %> compile-translations --locale pl --locale de --no-restart',
  ];
  static override args = {
    path: pathArgument({ description: 'Folders to search, and .po files.', multiple: true }),
  };
  static override flags = {
    check: boolean({ summary: 'Only check: write nothing, use no database, restart nothing.' }),
    format: option({
      summary: 'How what is wrong is printed: for editors, or as annotations of GitHub or GitLab.',
      options: diagnosticFormats,
      default: 'gcc',
    })(),
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
    'max-drop': percent({
      summary:
        'Install nothing if a catalog loses more of its live messages. Default: translations.max_drop.',
    }),
    force: boolean({ summary: 'Install also what is the same already.' }),
    undo: boolean({
      summary: 'Put back the catalogs that the last run has replaced.',
      exclusive: ['check', 'force', 'locale', 'exclude', 'use-fuzzy', 'on-bad-message', 'max-drop'],
    }),
    'no-restart': boolean({ summary: 'Neither restart nor check the application.' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(CompileTranslations);
    const body = flags.undo ? undoCompiledBody : compileBody;
    await this.execute(flags, async (context) => await body(context, flags, args.path ?? []));
  }
}
