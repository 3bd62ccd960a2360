import { string as stringArgument } from '@oclif/core/args';
import { boolean, integer } from '@oclif/core/flags';
import { absoluteSource } from '../src/backups/restore/restore-source.ts';
import { TendCommand } from '../src/cli/base-command.ts';
import type { CommandBody } from '../src/cli/command-context.ts';
import { confirmFlag } from '../src/cli/confirm-flag.ts';
import { identityFlag, identityOverrides } from '../src/cli/identity-flag.ts';
import { nameFlag } from '../src/cli/name-flag.ts';
import { previewRestoreBody } from '../src/cli/preview-restore-body.ts';
import { previewWithinBody } from '../src/cli/preview-within-body.ts';
import { restoreBody } from '../src/cli/restore-body.ts';
import { settleRestoreBody } from '../src/cli/settle-restore-body.ts';

export default class Restore extends TendCommand {
  static override summary = 'Restore a backup set, in place of the live database or beside it.';
  static override description =
    'The set is restored into a new database and compared with its manifest. Then it takes the place of the live one, which is kept under another name; the application is restarted and checked, and if it is not healthy the old database is put back. The queue is not rewound. What a restore that was killed has left is finished with --resume or taken back with --undo; --undo also takes back the newest one that has ended, as long as the old database is kept. With --in-place the tables are replaced within the live database in one transaction, and locked meanwhile; a backup is taken before, which is the only way back. Exit code 1: nothing has changed, or everything is as before. 2: a person must act now.';
  static override examples = [
    '<%= config.bin %> restore latest --dry-run',
    '<%= config.bin %> restore 20261122T023000Z-7f3a --confirm cms',
    '<%= config.bin %> restore latest --into cms_yesterday',
    '<%= config.bin %> restore offsite:latest --into cms_yesterday --identity key.txt',
    '<%= config.bin %> restore --undo --confirm cms',
  ];
  static override args = {
    source: stringArgument({
      description:
        'Id of the set, "latest" (the default), its path, one in a remote (NAME:ID, NAME:latest), or the path of an archive that pg_dump made; with --undo, id of the restore.',
    }),
  };
  static override flags = {
    confirm: confirmFlag,
    into: nameFlag({
      summary: 'Restore into a new database of this name.',
      exclusive: ['confirm'],
    }),
    'in-place': boolean({
      summary: 'Within the live database, in one transaction: for a role that may not create databases.',
      exclusive: ['into', 'resume', 'undo'],
    }),
    identity: identityFlag,
    'dry-run': boolean({ summary: 'Say what would happen, and what is in the way.' }),
    'no-files': boolean({ summary: 'Only the database, not [backup] files.' }),
    jobs: integer({ summary: 'Load with this many sessions at once.', min: 1, max: 64, helpValue: 'N' }),
    resume: boolean({
      summary: 'Finish the restore that was killed.',
      exclusive: ['into', 'dry-run', 'undo'],
    }),
    undo: boolean({
      summary: 'Put back the database from before a restore.',
      exclusive: ['into', 'dry-run'],
    }),
    'no-restart': boolean({ summary: 'Neither restart nor check the application.' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Restore);
    const { resume, undo, 'dry-run': isDryRun } = flags;
    const overrides = identityOverrides(flags.identity, this.host.cwd);
    const body: CommandBody = async (context) => {
      if (resume || undo)
        return await settleRestoreBody(context, {
          ...flags,
          way: resume ? 'resume' : 'undo',
          restoreId: args.source,
        });
      const source = absoluteSource(args.source ?? 'latest', context.cwd);
      if (!isDryRun) return await restoreBody(context, { ...flags, source });
      if (flags['in-place']) return await previewWithinBody(context, { ...flags, source });
      return await previewRestoreBody(context, { ...flags, source });
    };
    await this.execute(flags, body, { overrides });
  }
}
