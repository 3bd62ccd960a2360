import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createQueueSite, type QueueSite } from '../../e2e/queue-site.ts';
import { scriptedSmtpServer } from '../scripted-smtp-server.ts';

let site: QueueSite;

beforeEach(async () => {
  site = await createQueueSite();
});
afterEach(async () => {
  await site[Symbol.asyncDispose]();
});

/** Sends one message to `to` with a tick; what the server was told, and what became of the task. */
async function send(to: string[], settings = '') {
  await using server = await scriptedSmtpServer();
  await site.configure(
    `[mail]\nurl = "smtp://127.0.0.1:${server.port}?tls=off"\nfrom = "cms@example.org"\n${settings}`,
  );
  const id = await site.enqueue('send-mail', { to, subject: 'Hi', text: 'Hi' });
  await site.command(['run-due-tasks']);
  const { state, last_error: error } = await site.task(id);
  const [row] = await site.database.query<{ recipients: { status: string }[] }>(
    'select recipients from tend.deliveries where task_id = $1',
    [id],
  );
  return {
    recipients: server.recipients,
    state,
    error,
    statuses: row?.recipients.map(({ status }) => status),
  };
}

describe('a suppressed address', () => {
  beforeEach(async () => {
    await site.database.query(`select tend.suppress('gone@x.test', 'bounce')`);
  });

  it('is never offered to the server, and the others get the message', async () => {
    expect(await send(['ann@x.test', 'Gone@X.test'])).toMatchObject({
      recipients: ['ann@x.test'],
      state: 'succeeded',
      statuses: ['accepted', 'suppressed'],
    });
  });

  it('as the only one fails the message for good, with the reason', async () => {
    expect(await send(['gone@x.test'])).toMatchObject({
      recipients: [],
      state: 'failed',
      error: expect.stringContaining('suppressed (bounce)'),
    });
  });
});

describe('[mail] allow_domains', () => {
  it('lets nothing out to other domains', async () => {
    expect(await send(['ann@x.test', 'bob@y.test'], 'allow_domains = ["y.test"]\n')).toMatchObject({
      recipients: ['bob@y.test'],
      statuses: ['refused', 'accepted'],
    });
  });

  it('does not stand in the way of redirect_all', async () => {
    const settings = 'allow_domains = ["y.test"]\nredirect_all = "dev@z.test"\n';
    expect(await send(['ann@x.test'], settings)).toMatchObject({
      recipients: ['dev@z.test'],
      state: 'succeeded',
    });
  });
});
