import { boolean, integer, string } from '@oclif/core/flags';
import { TendCommand } from '../src/cli/base-command.ts';
import { duration } from '../src/cli/duration-flag.ts';
import { tickBody } from '../src/cli/tick-body.ts';
import { largestNumber } from '../src/cli/tick-flags.ts';

export default class RunDueTasks extends TendCommand {
  static override summary = 'Run what is due, then exit: the tick cron calls every minute.';
  static override description =
    'Takes back tasks of dead workers, claims due tasks and runs them, and deletes old finished ones. Any number of ticks may run at once. Exits 0 when nothing is due or all went well, 3 when a task ended failed or held; a failure that will be retried is exit 0.';
  static override examples = [
    '<%= config.bin %> run-due-tasks',
    '<%= config.bin %> run-due-tasks --queue mail --concurrency 1',
    '<%= config.bin %> run-due-tasks --task 42 -v',
    '<%= config.bin %> run-due-tasks --dry-run',
  ];
  static override flags = {
    limit: integer({
      summary: 'Run at most this many tasks.',
      ...{ min: 1, max: largestNumber, helpValue: 'N', helpGroup: 'TASK' },
    }),
    concurrency: integer({
      summary: 'Run this many at a time. Default: tasks.concurrency.',
      ...{ min: 1, max: 200, helpValue: 'N', helpGroup: 'TASK' },
    }),
    deadline: duration({
      summary: 'Start none after this time. Default: tasks.deadline.',
      helpGroup: 'TASK',
    }),
    queue: string({
      summary: 'Only tasks of this queue.',
      ...{ multiple: true, multipleNonGreedy: true, helpValue: 'NAME', helpGroup: 'TASK' },
    }),
    kind: string({
      summary: 'Only tasks of this kind.',
      ...{ multiple: true, multipleNonGreedy: true, helpValue: 'KIND', helpGroup: 'TASK' },
    }),
    task: integer({
      summary: 'Run exactly this waiting task, due or not.',
      ...{ min: 1, max: largestNumber, helpValue: 'ID', helpGroup: 'TASK' },
    }),
    drain: boolean({
      summary: 'Go on until nothing is due.',
      ...{ exclusive: ['deadline'], helpGroup: 'TASK' },
    }),
    'dry-run': boolean({ summary: 'Show what would run, and run nothing.', helpGroup: 'TASK' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(RunDueTasks);
    await this.execute(
      flags,
      tickBody({
        limit: flags.limit ?? Number.POSITIVE_INFINITY,
        concurrency: flags.concurrency,
        deadlineMs: flags.deadline,
        queues: flags.queue,
        kinds: flags.kind,
        taskId: flags.task,
        isDrain: flags.drain,
        isDryRun: flags['dry-run'],
      }),
    );
  }
}
