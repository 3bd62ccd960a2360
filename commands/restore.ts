import { string as stringArgument } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { parse } from 'valibot';
import { restoreReportSchema } from '../src/backups/backup-report.ts';
import { absoluteSource } from '../src/backups/restore-source.ts';
import { TendCommand } from '../src/cli/base-command.ts';
import type { CommandBody } from '../src/cli/command-context.ts';
import { confirmByName } from '../src/cli/confirm-by-name.ts';
import { identityFlag, identityOverrides } from '../src/cli/identity-flag.ts';
import { previewRestore } from '../src/cli/preview-restore.ts';
import { printRestorePlan } from '../src/cli/print-restore-plan.ts';
import { runKindNow } from '../src/cli/run-kind-now.ts';

export default class Restore extends TendCommand {
  static override summary = 'Restore a backup set, in place of the live database or beside it.';
  static override description =
    'The set is restored into a new database and compared with its manifest. Then it takes the place of the live one, which is kept under another name; the application is restarted and checked, and if it is not healthy the old database is put back. The queue is not rewound. Exit code 1: nothing has changed, or everything is as before. 2: a person must act now.';
  static override examples = [
    '<%= config.bin %> restore latest --dry-run',
    '<%= config.bin %> restore 20261122T023000Z-7f3a --confirm cms',
    '<%= config.bin %> restore latest --into cms_yesterday',
    '<%= config.bin %> restore latest --into cms_yesterday --identity key.txt',
  ];
  static override args = {
    source: stringArgument({ description: 'Id of the set, "latest", or its path.', default: 'latest' }),
  };
  static override flags = {
    confirm: string({
      summary: 'Name of the live database, to say that it may be replaced.',
      helpValue: 'DBNAME',
    }),
    into: string({
      summary: 'Restore into a new database of this name.',
      helpValue: 'NAME',
      exclusive: ['confirm'],
    }),
    identity: identityFlag,
    'dry-run': boolean({ summary: 'Say what would happen, and what is in the way.' }),
    'no-files': boolean({ summary: 'Only the database, not [backup] files.' }),
    'no-restart': boolean({ summary: 'Neither restart nor check the application.' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Restore);
    const overrides = identityOverrides(flags.identity, this.host.cwd);
    const body: CommandBody = async (context) => {
      const source = absoluteSource(args.source, context.cwd);
      const { into } = flags;
      if (flags['dry-run']) {
        const includeFiles = flags['no-files'] ? 'no' : 'yes';
        const preview = await previewRestore(context, { source, into, includeFiles });
        return { result: preview, render: (output) => printRestorePlan(preview, output) };
      }
      const { database } = await context.connection();
      if (into === undefined) {
        const { signal } = context;
        const question = `Database "${database}" will be replaced by backup set "${args.source}".`;
        const terminal = { input: process.stdin, output: process.stderr };
        await confirmByName({
          question,
          name: database,
          flag: '--confirm',
          given: flags.confirm,
          ...terminal,
          signal,
        });
      }
      const payload = {
        source,
        ...(into === undefined ? { confirm: database } : { into }),
        ...(flags['no-restart'] && { restart: false }),
        ...(flags['no-files'] && { files: false }),
      };
      const { taskId, evidence } = await runKindNow(context, { kind: 'restore', payload });
      const report = parse(restoreReportSchema, evidence);
      return {
        result: { ...report, taskId },
        render(output) {
          const kept = report.keptAs === null ? '' : `; the old one is kept as "${report.keptAs}"`;
          output.summary(
            `Backup ${report.backupId} is now database "${report.database}" (${report.rows} rows)${kept}.`,
          );
          if (report.heldTasks > 0)
            output.warn(`${report.heldTasks} unfinished tasks of the backup are held there`);
        },
      };
    };
    await this.execute(flags, body, { overrides });
  }
}
