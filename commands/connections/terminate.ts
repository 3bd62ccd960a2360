import { boolean } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { endSessionsBody } from '../../src/cli/end-sessions-body.ts';
import { sessionPid } from '../../src/cli/session-pid.ts';

export default class ConnectionsTerminate extends TendCommand {
  static override summary = 'End sessions.';
  static override description =
    "Asks first, on a terminal; elsewhere --yes must be given. What a session had not committed is rolled back. Waits 5 seconds for the end of each. Sessions of other users who are superusers, processes of the server and tend's own session are left alone. Exit code 3: some could not; 77: it is not allowed; 66: there is no such session.";
  static override examples = [
    '<%= config.bin %> connections terminate 4711',
    '<%= config.bin %> connections terminate 4711 4712 --yes',
  ];
  static override args = {
    pid: sessionPid({ description: 'Pids of the sessions.', required: true, multiple: true }),
  };
  static override flags = { yes: boolean({ summary: 'Do not ask.', char: 'y' }) };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConnectionsTerminate);
    const { yes: isYes, json: isJson } = flags;
    const terminal = { input: process.stdin, output: process.stderr };
    await this.execute(flags, (context) =>
      endSessionsBody(context, { way: 'terminate', pids: args.pid, isYes, isJson, ...terminal }),
    );
  }
}
