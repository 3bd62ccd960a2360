import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database, DeliveryRecipient } from '../../../src/database/tables.ts';
import { processReport } from '../../../src/mail/bounces/process-report.ts';
import type { DeliveryState } from '../../../src/mail/delivery/take-steps.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { bounceFixture } from './fixture.ts';

let database: TestDatabase;
let db: Kysely<Database>;

beforeAll(async () => {
  database = await createTestDatabase();
  db = await database.openDatabase();
});
afterAll(async () => {
  await db.destroy();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => void (await database.query('truncate tend.suppressions, tend.deliveries')));

interface Sent {
  recipients?: DeliveryRecipient[];
  state?: DeliveryState;
  reply?: string;
  messageId?: string;
}

const bob = { address: 'bob@example.net', status: 'accepted' } as const;
const ann = { address: 'ann@example.net', status: 'accepted' } as const;

/** A delivery as it stands in the database; its Message-ID. */
async function sent(given: Sent = {}): Promise<string> {
  const {
    recipients = [bob],
    state = 'sent',
    reply = '250 Ok',
    messageId = `<${randomUUID()}@example.org>`,
  } = given;
  await database.query(
    `insert into tend.deliveries (message_id, envelope_from, recipients, raw, state, reply, finished_at)
     values ($1, 'cms@example.org', $2, '', $3, $4, now())`,
    [messageId, JSON.stringify(recipients), state, reply],
  );
  return messageId;
}

async function report(name: string, messageId: string, change?: (text: string) => string) {
  const raw = await bounceFixture(name, { messageId, ...(change === undefined ? {} : { change }) });
  return await processReport({ db, raw });
}

const deliveries = async () =>
  await database.query(
    'select recipients, bounced_at is not null as bounced from tend.deliveries order by id',
  );
const suppressions = async () =>
  await database.query('select address, reason, detail from tend.suppressions order by address');

describe('a report that a mailbox does not exist', () => {
  it.each([
    'postfix',
    'exim',
    'exim-before-4.87',
    'sendmail',
    'gmail',
    'microsoft-365',
    'amazon-ses',
    'qmail',
  ])('from %s marks the recipient and suppresses the address', async (name) => {
    const processed = await report(name, await sent({ recipients: [ann, bob] }));
    expect(processed).toMatchObject({
      outcome: 'recorded',
      recipients: [{ address: 'bob@example.net', outcome: 'bounced', isSuppressed: true }],
    });
    const [row] = await deliveries();
    expect(row).toEqual({
      bounced: true,
      recipients: [ann, { ...bob, status: 'bounced', reply: expect.stringMatching(/^5\.1\.1/) }],
    });
    expect(await suppressions()).toEqual([
      { address: 'bob@example.net', reason: 'bounce', detail: expect.stringMatching(/^5\.1\.1/) },
    ]);
  });

  it('changes nothing when it comes a second time, or when two read it at once', async () => {
    const messageId = await sent();
    await using other = await database.openDatabase();
    const raw = await bounceFixture('postfix', { messageId });
    const both = await Promise.all([db, other].map((session) => processReport({ db: session, raw })));
    const outcomes = new Set(both.map(({ recipients }) => recipients[0]?.outcome));
    expect(outcomes).toEqual(new Set(['bounced', 'repeated']));
    const before = await deliveries();
    await database.query(`select tend.unsuppress('bob@example.net')`);
    expect(await report('exim', messageId)).toMatchObject({
      outcome: 'recorded',
      recipients: [{ outcome: 'repeated', isSuppressed: false }],
    });
    expect([await deliveries(), await suppressions()]).toEqual([before, []]);
  });

  it('is about each recipient it names', async () => {
    const second = 'Final-Recipient: rfc822; ann@example.net\nAction: failed\nStatus: 5.1.1\n\n';
    const processed = await report('postfix', await sent({ recipients: [ann, bob] }), (text) =>
      text.replace('Final-Recipient', `${second}Final-Recipient`),
    );
    expect(processed.recipients.map(({ outcome }) => outcome)).toEqual(['bounced', 'bounced']);
    const [row] = await deliveries();
    expect(row?.['recipients']).toMatchObject([{ status: 'bounced' }, { status: 'bounced' }]);
  });

  it('is found by the address we gave where the last server had another, and in whatever case', async () => {
    const processed = await report('postfix', await sent(), (text) =>
      text
        .replace('Final-Recipient: rfc822; bob@example.net', 'Final-Recipient: rfc822; robert@inside.test')
        .replace('rfc822;bob@example.net', 'rfc822;BOB@Example.NET'),
    );
    expect(processed.recipients).toMatchObject([{ address: 'bob@example.net', outcome: 'bounced' }]);
  });

  it('from Amazon SES is found by the reply it gave, since it replaces the Message-ID', async () => {
    const id = '0100019355aabbcc-11112222-3333-4444-5555-666677778888-000000';
    await sent({ reply: `250 Ok ${id}` });
    expect(await report('amazon-ses', `<${id}@eu-west-1.amazonses.com>`)).toMatchObject({
      outcome: 'recorded',
    });
    expect(await report('amazon-ses', `<${id.replace('1', '2')}@email.amazonses.com>`)).toMatchObject({
      outcome: 'unmatched',
    });
  });

  it('about a message whose fate was unknown counts: it must have arrived somewhere', async () => {
    const messageId = await sent({ state: 'unknown', recipients: [{ ...bob, status: 'waiting' }] });
    expect(await report('postfix', messageId)).toMatchObject({ recipients: [{ outcome: 'bounced' }] });
  });

  it('about a message that is still being sent comes too early', async () => {
    const messageId = await sent({ state: 'committing', recipients: [{ ...bob, status: 'waiting' }] });
    expect(await report('postfix', messageId)).toMatchObject({ outcome: 'early' });
    expect(await suppressions()).toEqual([]);
  });
});

describe('a failure that is not about the address', () => {
  it.each([
    ['mailbox full', '5.2.2', '552 5.2.2 mailbox full'],
    ['spam', '5.7.1', '554 5.7.1 message refused'],
    ['given up after days', '4.4.7', 'delivery time expired'],
  ])('%s: marks the recipient and suppresses nobody', async (_, status, said) => {
    const processed = await report('postfix', await sent(), (text) =>
      text
        .replace('Status: 5.1.1', `Status: ${status}`)
        .replace(/Diagnostic-Code:.*\n.*/, `Diagnostic-Code: smtp; ${said}`),
    );
    expect(processed.recipients).toMatchObject([{ outcome: 'bounced', status, isSuppressed: false }]);
    expect(await suppressions()).toEqual([]);
  });
});

describe('nothing changes after', () => {
  const untouched = async (messageId: string, name: string, change?: (text: string) => string) => {
    const before = await deliveries();
    const processed = await report(name, messageId, change);
    expect([await deliveries(), await suppressions()]).toEqual([before, []]);
    return processed;
  };

  it('a report that the server goes on trying', async () => {
    const processed = await untouched(await sent(), 'postfix-delayed');
    expect(processed).toMatchObject({
      outcome: 'recorded',
      recipients: [{ outcome: 'delayed', status: '4.4.1' }],
    });
  });

  it('a forged report about a message that we never sent', async () => {
    await sent();
    expect(await untouched('<guessed@example.org>', 'postfix')).toMatchObject({ outcome: 'unmatched' });
  });

  it.each<[string, Sent]>([
    ['never sent to that recipient', { recipients: [ann] }],
    ['refused at once', { recipients: [ann, { ...bob, status: 'refused' }], state: 'partly-sent' }],
    ['kept from that recipient', { recipients: [ann, { ...bob, status: 'suppressed' }] }],
  ])('a forged report about a message that was %s', async (_, given) => {
    expect(await untouched(await sent(given), 'postfix')).toMatchObject({ outcome: 'unmatched' });
  });

  it('a letter', async () => {
    const processed = await processReport({ db, raw: Buffer.from('Subject: out of office\n\nI am away.\n') });
    expect(processed).toEqual({ outcome: 'no-report', messageId: null, recipients: [], reason: null });
  });
});

describe('a complaint', () => {
  it('suppresses whom it names, and does not call the message bounced', async () => {
    const processed = await report('complaint', await sent({ recipients: [ann, bob] }));
    expect(processed.recipients).toMatchObject([{ outcome: 'complained', isSuppressed: true }]);
    expect(await suppressions()).toMatchObject([{ address: 'bob@example.net', reason: 'complaint' }]);
    expect((await deliveries())[0]).toEqual({ bounced: false, recipients: [ann, bob] });
  });

  it('without a name is that of the only recipient, and of nobody where there are two', async () => {
    const anonymous = (text: string) => text.replace(/^Original-Rcpt-To.*\n/m, '');
    const two = await report('complaint', await sent({ recipients: [ann, bob] }), anonymous);
    expect([two.outcome, await suppressions()]).toEqual(['unmatched', []]);
    const one = await report('complaint', await sent(), anonymous);
    expect(one.recipients).toMatchObject([{ address: 'bob@example.net', outcome: 'complained' }]);
  });

  it('that asks for no more mail is an unsubscription, and one that takes it back is nothing', async () => {
    const ofType = (type: string) => (text: string) =>
      text.replace('Feedback-Type: abuse', `Feedback-Type: ${type}`);
    await report('complaint', await sent(), ofType('not-spam'));
    expect(await suppressions()).toEqual([]);
    await report('complaint', await sent(), ofType('opt-out'));
    expect(await suppressions()).toMatchObject([{ reason: 'unsubscribe' }]);
  });
});
