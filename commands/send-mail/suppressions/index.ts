import { integer, option } from '@oclif/core/flags';
import { TendCommand } from '../../../src/cli/base-command.ts';
import { formatTime } from '../../../src/cli/task-table.ts';
import { listSuppressions } from '../../../src/mail/suppression/list-suppressions.ts';

const reasons = ['bounce', 'manual', 'unsubscribe', 'complaint'] as const;

export default class SendMailSuppressions extends TendCommand {
  static override summary = 'List the addresses that get no mail, newest first.';
  static override description =
    'Whoever sends to one of them, it is left out, and the delivery says so. Permanent bounces and complaints come from send-mail bounces, unsubscribed readers from the application: select tend.suppress(address, reason).';
  static override examples = [
    '<%= config.bin %> send-mail suppressions',
    '<%= config.bin %> send-mail suppressions --reason bounce --json',
  ];
  static override flags = {
    reason: option({
      summary: 'Only for this reason.',
      ...{ options: reasons, multiple: true, multipleNonGreedy: true },
    })(),
    limit: integer({ summary: 'At most this many.', min: 1, max: 1_000_000, default: 50, helpValue: 'N' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SendMailSuppressions);
    await this.execute(flags, async (context) => {
      const db = await context.openDatabase();
      const found = await listSuppressions({ db, reasons: flags.reason ?? [], limit: flags.limit });
      return {
        result: found,
        render(output) {
          const rows = found.suppressions.map((one) => [
            ...[one.address, one.reason, formatTime(one.createdAt), one.createdBy],
            one.detail?.replaceAll(/\s+/g, ' ') ?? '',
          ]);
          if (rows.length > 0) output.table(['ADDRESS', 'REASON', 'SINCE', 'BY', 'DETAIL'], rows);
          else output.summary('No address is suppressed.');
          if (found.isCut) output.warn(`only the newest ${flags.limit} are shown (--limit)`);
        },
      };
    });
  }
}
