import { boolean } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { endSessionsBody } from '../../src/cli/end-sessions-body.ts';
import { sessionPid } from '../../src/cli/session-pid.ts';

export default class ConnectionsCancel extends TendCommand {
  static override summary = 'Stop what sessions are doing; the sessions stay.';
  static override description =
    "Asks first, on a terminal; elsewhere --yes must be given. An idle session, in a transaction or not, has nothing to cancel. Sessions of other users who are superusers, processes of the server and tend's own session are left alone. Exit code 3: some could not; 77: it is not allowed; 66: there is no such session.";
  static override examples = [
    '<%= config.bin %> connections cancel 4711',
    '<%= config.bin %> connections cancel 4711 4712 --yes',
  ];
  static override args = {
    pid: sessionPid({ description: 'Pids of the sessions.', required: true, multiple: true }),
  };
  static override flags = { yes: boolean({ summary: 'Do not ask.', char: 'y' }) };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConnectionsCancel);
    const { yes: isYes, json: isJson } = flags;
    const terminal = { input: process.stdin, output: process.stderr };
    await this.execute(flags, (context) =>
      endSessionsBody(context, { way: 'cancel', pids: args.pid, isYes, isJson, ...terminal }),
    );
  }
}
