import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { scriptedSmtpServer } from '../mail/scripted-smtp-server.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { createQueueSite } from './queue-site.ts';

const messages = 3000;
/** Then what runs may live, so that a slow machine ends as well. */
const mostKills = 15;

it('3,000 messages over five connections, killed -9 again and again: none twice, each sent or listed as unknown', async () => {
  // oxlint-disable-next-line node/no-process-env -- to look again at the storm of a failure
  const seed = Number(process.env['TEND_TEST_SEED'] ?? Math.floor(Math.random() * 1e9));
  process.stdout.write(`mail storm: TEND_TEST_SEED=${seed}\n`);
  const random = seededRandom(seed);
  // A reply that takes its time makes the moment long in which nobody knows.
  await using server = await scriptedSmtpServer({
    extensions: ['8BITMIME', 'PIPELINING'],
    onMessage: (socket) => setTimeout(() => socket.writable && socket.write('250 Ok\r\n'), 3),
  });
  await using site = await createQueueSite();
  await site.configure(
    `[mail]\nurl = "smtp://127.0.0.1:${server.port}?tls=off"\nfrom = "cms@example.org"\non_unknown = "hold"\n`,
  );
  await site.database.query(
    `select tend.enqueue('send-mail', jsonb_build_object('to', 'user' || n || '@x.test', 'subject', 'Storm', 'text', 'Hi'),
                         max_attempts => 100)
       from generate_series(1, ${messages}) n`,
  );

  const unfinished = async () => {
    const [row] = await site.database.query<{ count: number }>(
      `select count(*)::int as count from tend.tasks where state in ('waiting', 'running')`,
    );
    return row?.count ?? 0;
  };
  let kills = 0;
  while ((await unfinished()) > 0) {
    const tick = await site.start(['run-due-tasks', '--drain']);
    const before = server.messages.length;
    while (tick.child.exitCode === null && server.messages.length === before) await sleep(5);
    await Promise.race([sleep(150 + random() * 250), tick.result]);
    if (kills < mostKills && tick.child.exitCode === null) {
      tick.child.kill('SIGKILL');
      kills += 1;
    }
    await tick.result;
    await site.database.query(`update tend.tasks set run_at = now() where state = 'waiting'`);
  }

  const copies = new Map<string, number>();
  for (const message of server.messages) {
    const id = /^Message-ID: (.*)$/m.exec(message)?.[1]?.trim() ?? '';
    copies.set(id, (copies.get(id) ?? 0) + 1);
  }
  const rows = await site.database.query<{ id: string; delivery: string; task: string }>(
    `select d.message_id as id, d.state as delivery, t.state as task
       from tend.tasks t left join tend.deliveries d on d.task_id = t.id`,
  );
  const unknown = rows.filter(({ delivery }) => delivery === 'unknown');
  process.stdout.write(
    `mail storm: ${kills} kills, ${server.messages.length} messages arrived, ${unknown.length} unknown\n`,
  );
  expect(kills).toBeGreaterThan(3);
  expect([...copies.values()].filter((count) => count > 1)).toEqual([]);
  expect(rows).toHaveLength(messages);
  for (const { id, delivery, task } of rows) {
    expect([`${delivery} ${task}`, copies.has(id) || delivery === 'unknown']).toEqual([
      delivery === 'unknown' ? 'unknown held' : 'sent succeeded',
      true,
    ]);
  }
  // No more than one for each connection of each worker that was killed.
  expect(unknown.length).toBeLessThanOrEqual(kills * 5);
  await expect.poll(() => site.sessions()).toEqual([]);
}, 300_000);
