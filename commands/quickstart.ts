import { join } from 'node:path';
import { boolean } from '@oclif/core/flags';
import { TendCommand } from '../src/cli/base-command.ts';
import type { CommandBody, CommandContext, CommandOutcome } from '../src/cli/command-context.ts';
import { quickstartPlaces } from '../src/quickstart/quickstart-places.ts';
import { removeQuickstart } from '../src/quickstart/remove-quickstart.ts';
import { runQuickstart } from '../src/quickstart/run-quickstart.ts';
import { createTranscript } from '../src/quickstart/transcript.ts';

export default class Quickstart extends TendCommand {
  static override summary = 'Try everything on a private local PostgreSQL with a small demo site.';
  static override description =
    'Starts a server below .tend/ of this directory (unix socket only, as an unprivileged user), lets a demo application queue five tasks by SQL, runs them in one tick and checks what they made: a backup, compiled translations, a delivered message, the result of an application’s command, a restored database. Then everything is stopped and removed.';
  static override examples = [
    '<%= config.bin %> quickstart',
    '<%= config.bin %> quickstart --keep',
    '<%= config.bin %> quickstart --stop',
  ];
  static override flags = {
    keep: boolean({ summary: 'Leave server and demo site to play with.' }),
    stop: boolean({ summary: 'Stop and remove what --keep left.', exclusive: ['keep'] }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Quickstart);
    const body = flags.stop ? stop : this.#start(flags.keep ? 'keep' : 'remove');
    await this.execute(flags, body, { readsConfig: false });
  }

  #start(afterwards: 'keep' | 'remove'): CommandBody {
    return async ({ cwd, env, clock, signal, output }) => {
      const print = (line: string): void => output.print(line);
      const result = await runQuickstart({
        ...{ cwd, env, clock, signal, afterwards },
        uid: process.getuid?.(),
        pid: process.pid,
        tend: [process.execPath, join(this.config.root, 'bin/run.js')],
        transcript: createTranscript({
          print: output.isQuiet ? () => {} : print,
          paint: output.paint,
        }),
      });
      return { result };
    };
  }
}

async function stop({ cwd }: CommandContext): Promise<CommandOutcome> {
  const isRemoved = await removeQuickstart(quickstartPlaces(cwd));
  const text = isRemoved ? 'Stopped and removed.' : 'There is no quickstart in this directory.';
  return { result: { isRemoved }, render: (output) => output.summary(text) };
}
