import { string as stringArgument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { findSet } from '../../src/backups/sets/find-backup-set.ts';
import { TendCommand } from '../../src/cli/base-command.ts';
import { formatDuration } from '../../src/duration.ts';
import { formatBytes } from '../../src/format-bytes.ts';

export default class BackupShow extends TendCommand {
  static override summary = 'Show what is in a backup set.';
  static override description = 'Prints what its manifest says; --json prints the manifest itself.';
  static override examples = [
    '<%= config.bin %> backup show latest',
    '<%= config.bin %> backup show 20261122T023000Z-7f3a --json',
  ];
  static override args = {
    id: stringArgument({ description: 'Id of the set, or "latest".', default: 'latest' }),
  };
  static override flags = {
    remote: string({ summary: 'The set in this remote, not the one here.', helpValue: 'NAME' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BackupShow);
    await this.execute(flags, async (context) => {
      const { path, manifest } = await findSet({ ...context, remote: flags.remote, source: args.id });
      return {
        result: { path, manifest },
        render(output) {
          const { database, extensions, label, parts, recipients, roles, tables, tools } = manifest;
          output.print(`${manifest.id}${label === null ? '' : `  ${label}`}`);
          output.print(`  in         ${path}`);
          output.print(
            `  taken      ${manifest.startedAt} on ${manifest.host}, ${formatDuration(manifest.durationMs)}`,
          );
          output.print(
            `  database   ${database.name} (${formatBytes(database.sizeBytes)}), owner ${database.owner}`,
          );
          output.print(
            `  server     PostgreSQL ${database.serverVersion}, ${database.encoding}, ${database.collate}`,
          );
          output.print(
            `  tools      ${[tools.pgDump, tools.compressor, tools.encryptor].filter((name) => name !== 'none').join(', ')}`,
          );
          output.print(`  encrypted  ${recipients.length === 0 ? 'no' : `to ${recipients.join(', ')}`}`);
          output.print(
            `  extensions ${extensions.map(({ name, version }) => `${name} ${version}`).join(', ')}`,
          );
          output.print(`  roles      ${roles.join(', ')}`);
          for (const part of parts)
            output.print(`  part       ${part.file} ${formatBytes(part.bytes)} ${part.sha256}`);
          const rows = tables.map((table) => [
            table.schema,
            table.name,
            table.rows?.toString() ?? 'not counted',
          ]);
          output.table(['SCHEMA', 'TABLE', 'ROWS'], rows);
        },
      };
    });
  }
}
