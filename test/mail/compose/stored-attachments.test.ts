import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/database/tables.ts';
import type { MailAttachment } from '../../../src/mail/compose/mail-attachment.ts';
import { readAttachments } from '../../../src/mail/compose/read-attachments.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

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

async function read(attachments: MailAttachment[], mayAttachLargeObjects = true) {
  return await readAttachments({
    attachments,
    baseDirectory: '/',
    attachmentsFrom: [],
    mayAttachLargeObjects,
    db,
    signal: AbortSignal.timeout(30_000),
  });
}

async function one<T>(sql: string, ...parameters: unknown[]): Promise<T> {
  const [row] = await database.query<{ result: T }>(sql, parameters);
  if (row === undefined) throw new Error('no row');
  return row.result;
}

async function attach(content: Buffer, filename = 'a.bin', type: string | null = null): Promise<number> {
  return Number(await one('select tend.attach($1, $2, $3) as result', content, filename, type));
}

describe('tend.attach', () => {
  it('stores bytes that any number of messages attach by id, under its name or their own', async () => {
    const id = await attach(Buffer.from([0, 255, 10]), 'Żółw.pdf', 'application/x-turtle');
    const content = Buffer.from([0, 255, 10]);
    expect(
      await read([
        { attachment: id },
        { attachment: id, filename: 'b.txt', contentType: 'text/plain', cid: 'x' },
      ]),
    ).toEqual([
      { filename: 'Żółw.pdf', contentType: 'application/x-turtle', content },
      { filename: 'b.txt', contentType: 'text/plain', cid: 'x', content },
    ]);
  });

  it.each([0, 1, 2 ** 20, 2 ** 20 + 1, 2.5 * 2 ** 20])('keeps %d bytes as they are', async (size) => {
    const content = randomBytes(size);
    const [found] = await read([{ attachment: await attach(content) }]);
    expect(found?.content.equals(content)).toBe(true);
  });

  it.each([
    ['null, $1', 'a', /there is no content/],
    [`'x', $1`, '', /"" cannot be a filename/],
    [`'x', $1`, '../a', /cannot be a filename/],
    [`'x', $1`, 'a\\b', /cannot be a filename/],
    [`'x', $1`, 'a\nb', /cannot be a filename/],
    [`'x', $1`, 'ż'.repeat(128), /cannot be a filename/],
    [`'x', 'a', $1`, 'pdf', /"pdf" cannot be a content_type/],
    [`'x', 'a', $1`, 'text/plain; charset=x', /cannot be a content_type/],
    [`convert_to(repeat('x', 52428801), 'UTF8'), $1`, 'a', /52428801 bytes are too many/],
  ])('refuses (%s) with %j', async (args, value, reason) => {
    await expect(one(`select tend.attach(${args}) as result`, value)).rejects.toMatchObject({
      code: '22023',
      message: expect.stringMatching(reason),
    });
  });
});

describe('an attachment that lies in the database', () => {
  it('and is not there fails the message for good', async () => {
    await expect(read([{ attachment: 999_999 }])).rejects.toMatchObject({
      ...{ code: 'MAIL_MESSAGE_INVALID', isPermanent: true },
      message: expect.stringMatching(/no attachment 999999 .* has expired, or was never there/),
    });
  });

  it('counts towards what a message may carry, before more than a part of it is read', async () => {
    const id = await attach(Buffer.alloc(30 * 2 ** 20));
    await expect(read([{ attachment: id }, { attachment: id, filename: 'again' }])).rejects.toMatchObject({
      code: 'MAIL_MESSAGE_INVALID',
      message: expect.stringMatching(/larger than 50 MiB together/),
    });
  });

  it.each([0, 5, 2 ** 20, 2.5 * 2 ** 20])('may be a large object of %d bytes', async (size) => {
    const content = randomBytes(size);
    const oid = await one<number>('select lo_from_bytea(0, $1) as result', content);
    const [found] = await read([{ largeObject: oid, filename: 'a.bin' }]);
    expect(found?.content.equals(content)).toBe(true);
  });

  it('as a large object is refused where the configuration does not permit it, there or not', async () => {
    const oid = Number(await one('select lo_from_bytea(0, $1) as result', Buffer.from('secret')));
    for (const largeObject of [oid, 4_000_000_000]) {
      await expect(read([{ largeObject, filename: 'a' }], false)).rejects.toMatchObject({
        ...{ code: 'MAIL_MESSAGE_INVALID', isPermanent: true },
        message: `The large object ${largeObject} was not attached: tend.toml does not permit large objects.`,
      });
    }
  });

  it('as a large object that is not there fails the message for good', async () => {
    await expect(read([{ largeObject: 4_000_000_000, filename: 'a' }])).rejects.toMatchObject({
      ...{ code: 'MAIL_MESSAGE_INVALID', isPermanent: true },
      message: expect.stringMatching(/there is none/),
    });
  });
});
