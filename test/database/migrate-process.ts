// Migrates the database of CONNECTION (ConnectionSettings as JSON) and prints what it applied.
import type { ConnectionSettings } from '../../src/connection/settings.ts';
import { migrateUp } from '../../src/database/migrate.ts';
import { openDatabase } from '../../src/database/open-database.ts';

const connection: ConnectionSettings = JSON.parse(process.env.CONNECTION ?? '{}');
await using db = openDatabase({ connection, applicationName: 'migrate-process' });
process.stdout.write(`${JSON.stringify(await migrateUp({ db }))}\n`);
