import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { scriptedSmtpServer } from '../mail/scripted-smtp-server.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { queryCluster } from '../support/query-cluster.ts';
import { testRun } from '../support/test-run.ts';
import { createQueueSite } from './queue-site.ts';

describe('a worker that dies with a message on its way', () => {
  /** The steps of a delivery are committed without waiting for the disk, so a crash of the server may lose the last. */
  it.each([
    ['while the database goes on', 'none', { state: 'succeeded', copies: 2 }],
    ['while the database server crashes too', 'server', { state: 'held', copies: 1 }],
    ['while a backend of the database crashes', 'backend', { state: 'held', copies: 1 }],
  ])(
    '%s: a delivery that says nothing has left is believed only in the first case',
    async (_name, crashes, then) => {
      await using cluster = await startCluster({
        parentDirectory: testRun().temporaryDirectory,
        settings: { synchronous_commit: 'on' },
      });
      await using site = await createQueueSite();
      const url = `postgresql://${cluster.superuser}@/postgres?host=${encodeURIComponent(cluster.socketDirectory)}&port=${cluster.port}`;
      const env = { TEND_DATABASE_URL: url };
      let reply = (_socket: Socket) => {};
      await using server = await scriptedSmtpServer({ onMessage: (socket) => reply(socket) });
      await site.configure(
        `[mail]\nurl = "smtp://127.0.0.1:${server.port}?tls=off"\nfrom = "cms@example.org"\n`,
      );
      await site.tend(['migrations', 'up'], { env });
      await queryCluster(
        cluster,
        `select tend.enqueue('send-mail', '{"to": "ann@x.test", "subject": "Hi", "text": "Hi"}')`,
      );
      const tick = await site.start(['run-due-tasks'], { env });
      await expect.poll(() => server.messages.length).toBe(1);
      tick.child.kill('SIGKILL');
      await tick.result;
      if (crashes === 'server') await cluster.restart('immediate');
      if (crashes === 'backend') await crashBackend(cluster);
      // What the crash may have lost.
      await queryCluster(cluster, `update tend.deliveries set state = 'composed', committing_at = null`);
      reply = (socket) => socket.write('250 Ok\r\n');
      await site.tend(['run-due-tasks'], { env });
      await queryCluster(cluster, `update tend.tasks set run_at = now() where state = 'waiting'`);
      await site.tend(['run-due-tasks'], { env });
      expect(await queryCluster(cluster, 'select state from tend.tasks')).toEqual([{ state: then.state }]);
      expect(server.messages).toHaveLength(then.copies);
    },
  );
});

/** Kills a backend; the others go with it, and the server recovers without starting anew. Resolves after the recovery. */
async function crashBackend(cluster: Cluster): Promise<void> {
  const resetAt = () =>
    queryCluster<{ at: Date }>(cluster, 'select stats_reset as at from pg_stat_bgwriter').catch(() => []);
  const [before] = await resetAt();
  await queryCluster(cluster, `copy (select 1) to program 'kill -9 $PPID'`).catch(() => {});
  // Connections are taken for a moment before the server notices, and refused while it recovers.
  await expect
    .poll(async () => (await resetAt())[0]?.at.getTime() ?? 0)
    .toBeGreaterThan(before?.at.getTime() ?? 0);
}
