import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/database/tables.ts';
import { silentLog } from '../../../src/log.ts';
import type { MailMessage } from '../../../src/mail/compose/mail-message.ts';
import { Courier } from '../../../src/mail/delivery/courier.ts';
import { DeliveryStore } from '../../../src/mail/delivery/delivery-store.ts';
import { sendForTask } from '../../../src/mail/delivery/send-for-task.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { verifySignature } from '../dkim/verify-signature.ts';
import { type ScriptedSmtpServerOptions, scriptedSmtpServer } from '../scripted-smtp-server.ts';
import { mailSettingsFor } from '../support/mail-settings-for.ts';

let database: TestDatabase;
let db: Kysely<Database>;
let directory: TemporaryDirectory;

beforeAll(async () => {
  database = await createTestDatabase();
  db = await database.openDatabase();
});
afterAll(async () => {
  await db.destroy();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  directory = await temporaryDirectory();
  return async () => await directory[Symbol.asyncDispose]();
});

async function newTask(payload: MailMessage): Promise<number> {
  const rows = await database.query<{ id: string }>('select tend.enqueue($1, $2) as id', [
    'send-mail',
    payload,
  ]);
  return Number(rows[0]?.id);
}

/** One attempt, at a time of day, against a server that behaves as given; what the server was given. */
async function attempt(
  given: { taskId: number; message: MailMessage; at: string; isSigned?: boolean },
  server: ScriptedSmtpServerOptions = {},
) {
  const received: string[] = [];
  await using started = await scriptedSmtpServer(server);
  const keyFile = join(directory.path, 'key');
  const settings = mailSettingsFor(started.port, {
    templates: { directory: directory.path, catalogs: [] },
    dkim: given.isSigned === true ? { domain: 'example.org', selector: 'mail', keyFile } : undefined,
  });
  const place = { baseDirectory: directory.path, env: {}, secrets: new SecretRegistry() };
  await using courier = new Courier({ settings, db, ...place });
  const result = await sendForTask({
    taskId: given.taskId,
    message: given.message,
    settings,
    courier,
    store: new DeliveryStore(db),
    isRepeated: true,
    isByHand: true,
    db,
    baseDirectory: directory.path,
    clock: { now: () => new Date(given.at), monotonicMs: () => Date.parse(given.at) },
    signal: new AbortController().signal,
    log: silentLog,
  }).catch((error: { code: string }) => ({ state: error.code }));
  received.push(...started.messages);
  return { state: result.state, received };
}

describe('a message that is composed once', () => {
  it('leaves as the same bytes at every attempt, signature and all, whatever its template has become', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    await writeFile(join(directory.path, 'key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeFile(join(directory.path, 'order.txt'), 'Zażółć {{ name }}\n');
    await writeFile(join(directory.path, 'order.html'), '<p>Zażółć {{ name }}</p><img src="cid:logo">\n');
    await writeFile(join(directory.path, 'order.subject'), 'For {{ name }}\n');
    const message: MailMessage = {
      ...{ to: 'Bób <bob@x.test>', template: 'order', data: { name: 'Bób & Co' } },
      attachments: [{ content: 'AAECAw==', filename: 'logo.png', cid: 'logo' }],
      unsubscribe: { url: 'https://x.test/u' },
    };
    const taskId = await newTask(message);
    const later = { replies: { message: '451 later' } };
    const first = await attempt({ taskId, message, at: '2026-11-22T10:00:00Z', isSigned: true }, later);
    for (const file of ['order.txt', 'order.html', 'order.subject', 'key']) {
      await writeFile(join(directory.path, file), 'changed');
    }
    const second = await attempt({ taskId, message, at: '2026-11-23T10:00:00Z', isSigned: true });
    expect([first.state, second.state]).toEqual(['MAIL_SERVER_TEMPORARY', 'sent']);
    expect(first.received).toHaveLength(1);
    expect(second.received).toEqual(first.received);
    expect(verifySignature(Buffer.from(first.received[0] ?? '', 'latin1'), publicKey).isValid).toBe(true);
  });
});

describe('a message that expires', () => {
  const message: MailMessage = {
    to: 'bob@x.test',
    subject: 'Code',
    text: '1234',
    expiresAt: '2026-11-22T10:10:00Z',
  };

  it('before its first attempt is not even composed', async () => {
    const taskId = await newTask(message);
    const { state, received } = await attempt({ taskId, message, at: '2026-11-22T10:10:00Z' });
    expect({ state, received }).toEqual({ state: 'MAIL_EXPIRED', received: [] });
    expect(await database.query('select 1 from tend.deliveries where task_id = $1', [taskId])).toEqual([]);
  });

  it('between two attempts is not tried again', async () => {
    const taskId = await newTask(message);
    const first = await attempt({ taskId, message, at: '2026-11-22T10:00:00Z' }, { dropAt: 'greeting' });
    const second = await attempt({ taskId, message, at: '2026-11-22T10:20:00Z' });
    expect([first.state, second.state]).toEqual(['MAIL_SERVER_UNREACHABLE', 'MAIL_EXPIRED']);
    expect(second.received).toEqual([]);
  });

  it('after it was sent stays sent', async () => {
    const taskId = await newTask(message);
    await attempt({ taskId, message, at: '2026-11-22T10:00:00Z' });
    expect((await attempt({ taskId, message, at: '2026-11-22T10:20:00Z' })).state).toBe('sent');
  });

  it('while nobody knows whether it was sent stays a question', async () => {
    const taskId = await newTask(message);
    const first = await attempt({ taskId, message, at: '2026-11-22T10:00:00Z' }, { dropAt: 'message' });
    const second = await attempt({ taskId, message, at: '2026-11-22T10:20:00Z' });
    expect([first.state, second.state]).toEqual(['unknown', 'unknown']);
  });
});
