// The least that one start of pg-boss can do: connect, look whether there is a job, and go.
import process from 'node:process';
import { PgBoss } from 'pg-boss';

const boss = new PgBoss({
  connectionString: process.env.DATABASE_URL,
  max: 1,
  supervise: false,
  schedule: false,
  migrate: false,
});
await boss.start();
await boss.fetch('noop');
await boss.stop();
