import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { Database } from '../../../src/database/tables.ts';
import { silentLog } from '../../../src/log.ts';
import type { MailMessage } from '../../../src/mail/compose/mail-message.ts';
import { Courier } from '../../../src/mail/delivery/courier.ts';
import { DeliveryStore } from '../../../src/mail/delivery/delivery-store.ts';
import { sendForTask } from '../../../src/mail/delivery/send-for-task.ts';
import type { MailSettings } from '../../../src/mail/servers/mail-settings.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { resolveTask } from '../../../src/tasks/resolve-task.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type ScriptedSmtpServerOptions, scriptedSmtpServer } from '../scripted-smtp-server.ts';
import { mailSettingsFor } from '../support/mail-settings-for.ts';

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

const message: MailMessage = { to: 'bob@x.test', subject: 'Hello', text: 'Hi' };

async function newTask(payload: MailMessage): Promise<number> {
  const rows = await database.query<{ id: string }>('select tend.enqueue($1, $2) as id', [
    'send-mail',
    payload,
  ]);
  return Number(rows[0]?.id);
}

/** One attempt at the task against a server that behaves as given. */
async function attempt(
  taskId: number,
  payload: MailMessage,
  server: ScriptedSmtpServerOptions = {},
  more: Partial<MailSettings> & { signal?: AbortSignal } = {},
) {
  await using started = await scriptedSmtpServer(server);
  const { signal = new AbortController().signal, ...given } = more;
  const settings = mailSettingsFor(started.port, given);
  const place = { baseDirectory: '/', env: {}, secrets: new SecretRegistry() };
  await using courier = new Courier({ settings, db, ...place });
  const result = await sendForTask({
    taskId,
    message: payload,
    settings,
    courier,
    store: new DeliveryStore(db),
    isRepeated: true,
    isByHand: true,
    baseDirectory: '/',
    clock: systemClock,
    signal,
    log: silentLog,
  }).catch((error: { code: string; isPermanent: boolean; message: string }) => ({
    state: error.isPermanent ? `${error.code} for good` : error.code,
    text: error.message,
  }));
  return { ...result, messages: started.messages, recipients: started.recipients };
}

async function delivery(taskId: number) {
  const [row] = await database.query('select * from tend.deliveries where task_id = $1', [taskId]);
  return row;
}

/** What a worker that died after this step leaves. */
async function leaveInState(taskId: number, state: string): Promise<void> {
  await attempt(taskId, message, { replies: { MAIL: '451 later' } });
  await database.query('update tend.deliveries set state = $2, committing_at = now() where task_id = $1', [
    taskId,
    state,
  ]);
}

/** The task is held, and a person says: send it again. */
async function holdAndRetry(taskId: number): Promise<void> {
  await database.query(`update tend.tasks set state = 'held', reason = 'outcome unknown' where id = $1`, [
    taskId,
  ]);
  await resolveTask({ db, id: taskId, decision: 'retry', decidedBy: 'test' });
}

describe('sendForTask', () => {
  it('sends, and leaves the reply with the delivery', async () => {
    const taskId = await newTask(message);
    const { state, messages } = await attempt(taskId, message);
    expect(state).toBe('sent');
    expect(messages).toHaveLength(1);
    const row = await delivery(taskId);
    expect(row).toMatchObject({
      state: 'sent',
      reply: '250 2.0.0 Ok: queued as 12345',
      envelope_from: 'cms@example.org',
      recipients: [{ address: 'bob@x.test', status: 'accepted' }],
    });
    expect(row?.['raw'].toString()).toBe(messages[0]);
    expect(row?.['finished_at']).not.toBeNull();
  });

  it('sends the same bytes at every attempt, whatever failed before', async () => {
    const taskId = await newTask(message);
    const seen: string[] = [];
    const large = { ...message, text: `${'x'.repeat(70)}\n`.repeat(3000) };
    for (const server of [
      { dropAt: 'greeting' },
      { replies: { message: '451 later' } },
      { replies: { RCPT: '450 later' } },
      { replies: { message: '421 closing' } },
      {},
    ] as const) {
      const { messages } = await attempt(taskId, large, server);
      seen.push(...messages);
    }
    expect(seen).toHaveLength(3);
    expect(new Set(seen).size).toBe(1);
    expect(await delivery(taskId)).toMatchObject({ state: 'sent' });
  });

  it('has written "committing" before the server can have seen the end', async () => {
    const taskId = await newTask(message);
    let stateAtEnd: unknown;
    const { state } = await attempt(taskId, message, {
      onMessage: (socket) => {
        void delivery(taskId).then((row) => {
          stateAtEnd = row?.['state'];
          socket.write('250 Ok\r\n');
        });
      },
    });
    expect(state).toBe('sent');
    expect(stateAtEnd).toBe('committing');
  });

  it('does not send again what is sent, after a crash before the task could be finished', async () => {
    const taskId = await newTask(message);
    await attempt(taskId, message);
    const again = await attempt(taskId, message);
    expect(again).toMatchObject({ state: 'sent', messages: [], report: { accepted: ['bob@x.test'] } });
  });

  it('sends once where two workers believe they hold the task', async () => {
    const taskId = await newTask(message);
    await attempt(taskId, message, { replies: { MAIL: '451 later' } });
    const both = await Promise.all([attempt(taskId, message), attempt(taskId, message)]);
    expect(both.flatMap(({ messages }) => messages)).toHaveLength(1);
    expect(both.map(({ state }) => state).sort()).toEqual(expect.arrayContaining(['sent']));
  });
});

describe('recipients', () => {
  const payload: MailMessage = { ...message, to: ['ok@x.test', 'later@x.test', 'never@x.test'] };
  const mixed = {
    RCPT: (line: string) =>
      line.includes('later') ? '450 later' : line.includes('never') ? '550 never' : '250 Ok',
  };

  it('accepted once are never sent to again; the deferred alone are retried', async () => {
    const taskId = await newTask(payload);
    const first = await attempt(taskId, payload, { replies: mixed });
    expect(first).toMatchObject({
      state: 'MAIL_SERVER_TEMPORARY',
      recipients: ['ok@x.test', 'later@x.test', 'never@x.test'],
    });
    expect(await delivery(taskId)).toMatchObject({
      state: 'composed',
      committing_at: null,
      recipients: [
        { address: 'ok@x.test', status: 'accepted' },
        { address: 'later@x.test', status: 'deferred', reply: '450 later' },
        { address: 'never@x.test', status: 'refused', reply: '550 never' },
      ],
    });
    const second = await attempt(taskId, payload, {});
    expect(second.recipients).toEqual(['later@x.test']);
    expect(second).toMatchObject({
      state: 'partly-sent',
      report: {
        accepted: ['ok@x.test', 'later@x.test'],
        refused: [{ address: 'never@x.test', reply: '550 never' }],
        deferred: [],
      },
    });
  });

  it('all refused fail for good, and are tried again only where somebody asks for the task again', async () => {
    const taskId = await newTask(message);
    expect(await attempt(taskId, message, { replies: { RCPT: '550 never' } })).toMatchObject({
      state: 'MAIL_RECIPIENTS_REFUSED for good',
    });
    expect(await delivery(taskId)).toMatchObject({ state: 'refused' });
    expect(await attempt(taskId, message)).toMatchObject({ state: 'sent', recipients: ['bob@x.test'] });
  });

  it('are all left waiting by a failure of the server', async () => {
    const taskId = await newTask(message);
    expect(await attempt(taskId, message, { replies: { greeting: '554 no' } })).toMatchObject({
      state: 'MAIL_SERVER_TEMPORARY',
    });
    expect(await delivery(taskId)).toMatchObject({ state: 'composed', recipients: [{ status: 'waiting' }] });
  });

  it('are replaced by redirect_all also where the message was composed before it was set', async () => {
    const taskId = await newTask(payload);
    await attempt(taskId, payload, { dropAt: 'MAIL' });
    const { recipients, state } = await attempt(
      taskId,
      payload,
      {},
      { redirectAll: 'Dev <dev@example.org>' },
    );
    expect([state, recipients]).toEqual(['sent', ['dev@example.org']]);
  });
});

describe('when nobody can know whether it was delivered', () => {
  it('the task is to be held, and the delivery says so', async () => {
    const taskId = await newTask(message);
    const { state } = await attempt(taskId, message, { dropAt: 'message' });
    expect(state).toBe('unknown');
    expect(await delivery(taskId)).toMatchObject({ state: 'unknown', recipients: [{ status: 'waiting' }] });
  });

  it.each(['committing', 'unknown'])(
    'a dead worker’s delivery in "%s" is not sent again by itself',
    async (left) => {
      const taskId = await newTask(message);
      await leaveInState(taskId, left);
      const { state, messages } = await attempt(taskId, message);
      expect([state, messages]).toEqual(['unknown', []]);
    },
  );

  it('a dead worker’s delivery in "composed" is sent again', async () => {
    const taskId = await newTask(message);
    await leaveInState(taskId, 'composed');
    expect(await attempt(taskId, message)).toMatchObject({ state: 'sent' });
  });

  it('it is sent again once a person has had the held task back', async () => {
    const taskId = await newTask(message);
    const first = await attempt(taskId, message, { onMessage: (socket) => socket.destroy() });
    await holdAndRetry(taskId);
    const second = await attempt(taskId, message);
    expect(second).toMatchObject({ state: 'sent', messages: first.messages });
    expect(second.messages).toHaveLength(1);
  });

  it('that decision holds once: the next time it is asked anew', async () => {
    const taskId = await newTask(message);
    await attempt(taskId, message, { dropAt: 'message' });
    await holdAndRetry(taskId);
    expect(await attempt(taskId, message, { dropAt: 'message' })).toMatchObject({ state: 'unknown' });
    expect(await attempt(taskId, message)).toMatchObject({ state: 'unknown', messages: [] });
  });

  it('on_unknown = resend sends the same bytes again', async () => {
    const taskId = await newTask(message);
    const settings = { onUnknown: 'resend' } as const;
    const first = await attempt(taskId, message, { onMessage: (socket) => socket.destroy() }, settings);
    expect(first.state).toBe('MAIL_SERVER_TEMPORARY');
    const second = await attempt(taskId, message, {}, settings);
    expect(second.state).toBe('sent');
    expect(second.messages).toEqual(first.messages);
  });

  it('on_unknown = drop closes it, and the payload’s own onUnknown wins over the configuration', async () => {
    const payload = { ...message, onUnknown: 'drop' } as const;
    const taskId = await newTask(payload);
    expect(await attempt(taskId, payload, { dropAt: 'message' })).toMatchObject({ state: 'dropped' });
    expect(await attempt(taskId, payload)).toMatchObject({ state: 'dropped', messages: [] });
  });

  it('a worker stopped after the end has left leaves the question open', async () => {
    const taskId = await newTask(message);
    const controller = new AbortController();
    const { state } = await attempt(
      taskId,
      message,
      // The reply is waited for, and the server goes without one.
      {
        onMessage: (socket) => {
          controller.abort();
          setTimeout(() => socket.destroy(), 100);
        },
      },
      { signal: controller.signal },
    );
    expect(state).toBe('unknown');
  });
});

it.each(['composed', 'refused', 'committing', 'unknown', 'partly-sent'])(
  'a task replaced by its unique key sends the new message, whatever became of the old one: %s',
  async (state) => {
    const enqueue = async (payload: MailMessage) =>
      await database.query<{ id: string }>(
        `select tend.enqueue('send-mail', $1, unique_key => 'digest-' || $2) as id`,
        [payload, state],
      );
    const taskId = Number((await enqueue(message))[0]?.id);
    await leaveInState(taskId, state);
    const newer = { ...message, subject: 'Newer' };
    expect(await enqueue(newer)).toEqual([{ id: String(taskId) }]);
    const { state: outcome, messages } = await attempt(taskId, newer);
    expect(outcome).toBe('sent');
    expect(messages).toHaveLength(1);
    expect(messages[0]).toContain('Subject: Newer');
  },
);
