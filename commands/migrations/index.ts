import { boolean } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { formatTime } from '../../src/cli/task-table.ts';
import { findMigrations } from '../../src/database/migrate.ts';
import { exitCodes } from '../../src/exit-codes.ts';

export default class Migrations extends TendCommand {
  static override summary = 'Show which migrations of schema "tend" are applied.';
  static override examples = [
    '<%= config.bin %> migrations',
    '<%= config.bin %> migrations --exit-code || <%= config.bin %> migrations up',
  ];
  static override flags = {
    'exit-code': boolean({ summary: 'Exit 4 when a migration is pending, or the database is newer.' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Migrations);
    await this.execute(flags, async (context) => {
      const status = await findMigrations(await context.openDatabase());
      const pending = status.migrations.filter(({ appliedAt }) => appliedAt === null).length;
      const isDifferent = pending > 0 || status.unknown.length > 0;
      return {
        result: { ...status, pending },
        exitCode: flags['exit-code'] && isDifferent ? exitCodes.pending.code : exitCodes.ok.code,
        render(output) {
          const rows = status.migrations.map(({ name, appliedAt }) => [
            name,
            formatTime(appliedAt) || 'pending',
          ]);
          for (const name of status.unknown) rows.push([name, 'applied, unknown to this program']);
          output.table(['MIGRATION', 'APPLIED'], rows);
        },
      };
    });
  }
}
