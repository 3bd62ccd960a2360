import { join } from 'node:path';
import { boolean, option } from '@oclif/core/flags';
import { adoptBody } from '../src/cli/adopt-body.ts';
import { TendCommand } from '../src/cli/base-command.ts';
import { doctorBody } from '../src/cli/doctor-body.ts';
import { unfinishedChoices } from '../src/tasks/adopt-copy.ts';

export default class Doctor extends TendCommand {
  static override summary = 'Check the installation, worst first, with a fix for each problem.';
  static override description =
    'Looks at configuration, database, schema, the line that cron calls, ticks of every host, stuck, held and failed tasks, schedules, clock and pg_dump, and changes nothing. Exit code 4: something is not as it should be. With --adopt, a clone or a restored copy, in which every tick refuses, gets a queue of its own; it is asked what shall become of the unfinished tasks it has brought along. Mails among them are never run: a person releases each.';
  static override examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor --json',
    '<%= config.bin %> doctor --adopt --dry-run',
    '<%= config.bin %> doctor --adopt --unfinished cancel',
  ];
  static override flags = {
    adopt: boolean({ summary: 'Give a copy of a database a queue of its own.' }),
    unfinished: option({
      summary: 'What becomes of its unfinished tasks; without a terminal it must be said.',
      ...{ options: unfinishedChoices, dependsOn: ['adopt'] },
    })(),
    'dry-run': boolean({ summary: 'Only say what the copy holds.', dependsOn: ['adopt'] }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    const { osUser } = this.host;
    const { unfinished, json: isJson } = flags;
    const terminal = { input: process.stdin, output: process.stderr };
    await this.execute(
      flags,
      async (context) =>
        flags.adopt
          ? await adoptBody(context, { unfinished, isDryRun: flags['dry-run'], isJson, ...terminal })
          : await doctorBody(context, {
              node: process.execPath,
              entry: join(this.config.root, 'bin/run.js'),
              osUser,
            }),
      { readsConfig: 'if-valid' },
    );
  }
}
