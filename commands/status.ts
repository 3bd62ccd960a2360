import { resolve } from 'node:path';
import { boolean, string } from '@oclif/core/flags';
import { TendCommand } from '../src/cli/base-command.ts';
import { printStatus, summariseFailure, summariseStatus } from '../src/cli/print-status.ts';
import { watchStatus } from '../src/cli/watch-status.ts';
import { requireSchema } from '../src/database/require-schema.ts';
import { exitCodes } from '../src/exit-codes.ts';
import { findStatus } from '../src/report/find-status.ts';
import { judgeStatus } from '../src/report/judge-status.ts';

export default class Status extends TendCommand {
  static override summary = 'Show on one screen whether the queue is well.';
  static override description =
    'Problems first, then tasks, hosts, schedules, pauses, backups, mail, translations and sessions. With --check, one line for a monitor, and exit code 4 where there is a problem; where nothing can be asked the line says why, with the exit code of that error; [monitor.thresholds] says what is one. Piped, the tables are tab-separated. Needs no other process of tend to be alive.';
  static override examples = [
    '<%= config.bin %> status',
    '<%= config.bin %> status --check --json',
    '<%= config.bin %> status --html /srv/www/internal/tend.html',
  ];
  static override flags = {
    check: boolean({ summary: 'One line; exit 4 when something is wrong.' }),
    html: string({
      summary: 'Write a page with charts, which needs nothing else, to this file.',
      helpValue: 'FILE',
    }),
    watch: boolean({
      summary: 'Redraw every two seconds until Ctrl-C; on a terminal.',
      exclusive: ['check', 'html', 'json'],
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Status);
    await this.execute(
      flags,
      async (context) => {
        const { output, signal } = context;
        const db = await context.openDatabase();
        const look = async () => judgeStatus(await findStatus(db), context.config);
        await requireSchema(db);
        if (flags.watch) {
          await watchStatus({ look, output, signal });
          return { result: {} };
        }
        const status = await look();
        const path = flags.html === undefined ? undefined : resolve(context.cwd, flags.html);
        if (path !== undefined) {
          const { writeReport } = await import('../src/report/write-report.ts');
          await writeReport({ db, status, path });
        }
        return {
          result: path === undefined ? status : { ...status, html: path },
          exitCode: flags.check && !status.isOk ? exitCodes.pending.code : exitCodes.ok.code,
          render(output) {
            if (flags.check) output.print(summariseStatus(status));
            else if (path === undefined) printStatus(status, output);
            else output.summary(`Status written to "${path}".`);
          },
        };
      },
      { describeFailure: flags.check ? summariseFailure : undefined },
    );
  }
}
