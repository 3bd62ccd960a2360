// Empties the queue and goes: four loops that fetch and complete 500 jobs at once, the fastest of what was tried.
import process from 'node:process';
import { PgBoss } from 'pg-boss';

const loops = 4;
const batchSize = 500;
const boss = new PgBoss({
  connectionString: process.env.DATABASE_URL,
  max: loops,
  supervise: false,
  schedule: false,
  migrate: false,
});
await boss.start();
await Promise.all(Array.from({ length: loops }, workOff));
await boss.stop();

async function workOff() {
  for (;;) {
    const jobs = await boss.fetch('noop', { batchSize });
    if (jobs.length === 0) return;
    await Promise.all(jobs.map(run));
    await boss.complete(
      'noop',
      jobs.map(({ id }) => id),
    );
  }
}

async function run() {}
