// usage: node pg-boss-work.mjs QUEUE…
// A pg-boss process with its defaults, one worker a queue, until SIGTERM.
import process from 'node:process';
import { PgBoss } from 'pg-boss';

const boss = new PgBoss({ connectionString: process.env.DATABASE_URL });
process.once('SIGTERM', () => void boss.stop());
await boss.start();
for (const queue of process.argv.slice(2)) await boss.work(queue, run);

async function run([job]) {
  if (job.data.sleepMs > 0) await new Promise((resolve) => setTimeout(resolve, job.data.sleepMs));
}
