import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decrypt, encrypt } from '../../../src/backups/parts/encryption.ts';
import { silentLog } from '../../../src/log.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { ageDirectory, ageRoads, type Key, newKey } from '../support/age-keys.ts';

let place: TemporaryDirectory;
let keys: Key[];
let stranger: Key;
beforeAll(async () => {
  place = await temporaryDirectory();
  keys = [await newKey(place.path), await newKey(place.path)];
  stranger = await newKey(place.path);
});
afterAll(async () => await place[Symbol.asyncDispose]());

const signal = new AbortController().signal;
const context = { log: silentLog, signal };

async function encrypted(content: Buffer, env: NodeJS.ProcessEnv): Promise<Buffer> {
  const target = new PassThrough();
  const recipients = keys.map(({ recipient }) => recipient);
  const source = Readable.from(content.length === 0 ? [] : [content]);
  const [bytes] = await Promise.all([
    buffer(target),
    encrypt({ ...context, source, target, recipients, env }),
  ]);
  return bytes;
}

async function decrypted(bytes: Buffer, { identity }: Key, env: NodeJS.ProcessEnv): Promise<Buffer> {
  const target = new PassThrough();
  const reading = buffer(target);
  reading.catch(() => undefined);
  try {
    await decrypt({ ...context, source: Readable.from([bytes]), target, identity, env });
    return await reading;
  } finally {
    target.destroy();
  }
}

/** Chunks of age are 64 KiB: where they begin and end is where an implementation goes wrong. */
const chunk = 64 * 1024;
const seed = 4;
const random = seededRandom(seed);
const sizes = [
  ...[0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 5 * chunk + 7],
  ...Array.from({ length: 4 }, () => Math.floor(random() * 5 * chunk)),
];

const pairs = ageRoads.flatMap((writer) => ageRoads.map((reader) => ({ writer, reader })));

test.each(pairs)(
  'what $writer.road wrote, $reader.road reads, with the key of each recipient',
  async ({ writer, reader }) => {
    for (const size of sizes) {
      const content = randomBytes(size);
      const bytes = await encrypted(content, writer.env);
      for (const key of keys) {
        const read = await decrypted(bytes, key, reader.env);
        expect(read.equals(content), `${size} bytes (seed ${seed})`).toBe(true);
      }
    }
  },
);

test.skipIf(ageDirectory === undefined)('the age program itself reads it, with nothing of tend', async () => {
  const [, key] = keys;
  const bytes = await encrypted(Buffer.from('what nobody may read'), process.env);
  const read = execFileSync(`${ageDirectory}/age`, ['-d', '-i', key?.identity.path ?? ''], { input: bytes });
  expect(read.toString()).toBe('what nobody may read');
});

test.each(ageRoads)('the content does not show ($road)', async ({ env }) => {
  const bytes = await encrypted(Buffer.alloc(3 * chunk, 'a secret of somebody'), env);
  expect(bytes.includes('secret')).toBe(false);
});

const damages: { title: string; damage: (bytes: Buffer) => Buffer }[] = [
  { title: 'cut off by a byte', damage: (bytes) => bytes.subarray(0, -1) },
  { title: 'cut off at the end of a chunk', damage: (bytes) => bytes.subarray(0, -1000 - 16) },
  { title: 'cut off in the header', damage: (bytes) => bytes.subarray(0, 60) },
  { title: 'empty', damage: () => Buffer.alloc(0) },
  { title: 'with a byte more', damage: (bytes) => Buffer.concat([bytes, Buffer.from('x')]) },
  { title: 'with a bit flipped in the middle', damage: (bytes) => flipped(bytes, bytes.length >> 1) },
  { title: 'with a bit flipped at the end', damage: (bytes) => flipped(bytes, bytes.length - 1) },
  { title: 'with a bit flipped in the header', damage: (bytes) => flipped(bytes, 90) },
];

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

test.each(ageRoads.flatMap((road) => damages.map((damage) => ({ ...road, ...damage }))))(
  'content $title is an error ($road)',
  async ({ env, damage }) => {
    const [key] = keys;
    const bytes = damage(await encrypted(Buffer.alloc(2 * chunk + 1000, 'content'), env));
    await expect(decrypted(bytes, key ?? stranger, env)).rejects.toThrow('');
  },
);

test.each(ageRoads)("somebody else's key is told apart ($road)", async ({ env }) => {
  const bytes = await encrypted(Buffer.from('not for you'), env);
  await expect(decrypted(bytes, stranger, env)).rejects.toMatchObject({ isForKey: true });
});
