import { findConnections } from '../../src/activity/find-connections.ts';
import { TendCommand } from '../../src/cli/base-command.ts';
import { duration } from '../../src/cli/duration-flag.ts';
import { printConnections } from '../../src/cli/print-connections.ts';

export default class Connections extends TendCommand {
  static override summary = 'Show who holds the sessions of the database server, and how many are left.';
  static override description =
    'All sessions of the server, grouped by application, user, database, client and state, the largest group first; stale sessions and who blocks whom one by one. The session that asks is counted and not listed. Needs no schema "tend". Without membership in pg_read_all_stats the server hides the state of other users\' sessions, and that is said.';
  static override examples = [
    '<%= config.bin %> connections',
    '<%= config.bin %> connections --stale 1h --json',
  ];
  static override flags = {
    stale: duration({
      summary: 'A session that is idle, or in one transaction, for so long is stale; 10m unless told.',
      default: 600_000,
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Connections);
    await this.execute(flags, async (context) => {
      const connections = await findConnections({ db: await context.openDatabase(), staleMs: flags.stale });
      return {
        result: connections,
        render: (output) => printConnections(connections, flags.stale, output),
      };
    });
  }
}
