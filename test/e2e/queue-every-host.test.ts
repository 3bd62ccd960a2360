import { afterAll, beforeAll, expect, it } from 'vitest';
import { createQueueSite, json, type QueueSite, scriptKind } from './queue-site.ts';

let site: QueueSite;

const hosts = ['web1', 'web2', 'web3'];
const on = (host: string) => ({ env: { TEND_TASKS_HOST: host } });

beforeAll(async () => {
  site = await createQueueSite(
    scriptKind('note', 'echo "$TEND_TASKS_HOST $TEND_TASK_ID" >> notes', { env: ['TEND_TASKS_HOST'] }),
  );
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());

it('a task for every host is refused until one ticks', async () => {
  const refused = await site.tend(['tasks', 'enqueue', 'note', '--host', '*', '--json']);
  expect(refused.exitCode).toBe(65);
  expect(json(refused)).toMatchObject({
    error: {
      code: 'PAYLOAD_INVALID',
      message: 'Not enqueued: host "*" finds no host: none has ticked in the last 7 days',
      hint: expect.stringContaining('tend run-due-tasks'),
    },
  });
});

it('a task for every host is run by three hosts at once, each its own, and each shows the others', async () => {
  for (const host of hosts) await site.tend(['run-due-tasks'], on(host));
  const first = Number((await site.tend(['tasks', 'enqueue', 'note', '--host', '*'])).stdout);
  const ids = [first, first + 1, first + 2];

  expect((await site.tend(['run-due-tasks'], on('web2'))).exitCode).toBe(0);
  const shown = await site.tend(['tasks', 'show', String(first)]);
  expect(shown.stdout).toContain(
    `  every host  one of 3: web1 ${first} waiting, web2 ${first + 1} succeeded, web3 ${first + 2} waiting\n`,
  );

  await Promise.all(hosts.map((host) => site.tend(['run-due-tasks'], on(host))));
  expect((await site.lines('notes')).toSorted()).toEqual(
    hosts.map((host, index) => `${host} ${first + index}`),
  );
  expect(json(await site.tend(['tasks', 'show', String(first), '--json']))).toMatchObject({
    task: {
      fanOut: first,
      siblings: hosts.map((host, index) => ({ id: ids[index], host, state: 'succeeded' })),
    },
  });
});
