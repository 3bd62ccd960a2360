import { string as stringArgument } from '@oclif/core/args';
import { integer, string } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { duration } from '../../src/cli/duration-flag.ts';
import { parsePayload } from '../../src/cli/parse-payload.ts';
import { enqueueTask } from '../../src/tasks/enqueue-task.ts';

export default class TasksEnqueue extends TendCommand {
  static override summary = 'Put a task into the queue.';
  static override description =
    'The same as select tend.enqueue(…) in SQL, which an application calls inside its own transaction. Prints the id.';
  static override examples = [
    '<%= config.bin %> tasks enqueue backup',
    `<%= config.bin %> tasks enqueue send-mail --payload '{"to":"ann@example.org","subject":"Hi","text":"Hello"}'`,
    '<%= config.bin %> tasks enqueue resize-images --in 1h --unique-key resize',
  ];
  static override args = { kind: stringArgument({ description: 'Kind of the task.', required: true }) };
  static override flags = {
    payload: string({
      summary: 'JSON object; "-" reads it from standard input.',
      default: '{}',
      helpValue: 'JSON',
    }),
    in: duration({ summary: 'Due after this time. Default: now.' }),
    queue: string({ summary: 'Name of the queue.', default: 'default', helpValue: 'NAME' }),
    priority: integer({
      summary: 'Lower runs sooner.',
      default: 0,
      min: -32_768,
      max: 32_767,
      helpValue: 'N',
    }),
    'unique-key': string({ summary: 'Replace the waiting task with this key.', helpValue: 'KEY' }),
    mutex: string({ summary: 'At most one running task with this mutex.', helpValue: 'NAME' }),
    host: string({
      summary: 'Run on this host only; "*": once on every host that ticks.',
      helpValue: 'HOST',
    }),
    'max-attempts': integer({
      summary: 'Attempts in all. Default: of the kind.',
      min: 1,
      max: 100,
      helpValue: 'N',
    }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(TasksEnqueue);
    await this.execute(flags, async (context) => {
      const id = await enqueueTask({
        db: await context.openDatabase(),
        kind: args.kind,
        payload: await parsePayload(flags.payload),
        delayMs: flags.in,
        queue: flags.queue,
        priority: flags.priority,
        uniqueKey: flags['unique-key'],
        mutex: flags.mutex,
        host: flags.host,
        maxAttempts: flags['max-attempts'],
      });
      return { result: { id, kind: args.kind }, render: (output) => output.print(String(id)) };
    });
  }
}
