import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkFollowUp } from '../../src/tasks/check-follow-up.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const circular: Record<string, unknown> = {};
circular['self'] = circular;

const refused: [string, unknown, RegExp][] = [
  ['nothing', undefined, /task: an object \{ kind, payload, … \} was expected$/],
  ['a text', 'noop', /task: an object/],
  ['no kind', {}, /kind: /],
  ['a kind in capitals', { kind: 'Noop' }, /kind: a kind is named with/],
  ['a kind of 64 characters', { kind: 'k'.repeat(64) }, /kind: /],
  ['a misspelt key', { kind: 'noop', delay: 5 }, /delay: this key is not known$/],
  ['a payload that is a list', { kind: 'noop', payload: [1] }, /payload: a JSON object was expected$/],
  ['a payload that is null', { kind: 'noop', payload: null }, /payload: a JSON object/],
  ['a payload that is a text as JSON', { kind: 'noop', payload: new Date(0) }, /payload: a JSON object/],
  ['a payload in a circle', { kind: 'noop', payload: circular }, /payload: it cannot be written as JSON: /],
  [
    'a payload with a bigint',
    { kind: 'noop', payload: { n: 1n } },
    /payload: it cannot be written as JSON: /,
  ],
  ['a payload with U+0000', { kind: 'noop', payload: { a: ['\0'] } }, /payload: it holds U\+0000/],
  ['a payload with U+0000 in a key', { kind: 'noop', payload: { 'a\0': 1 } }, /payload: it holds U\+0000/],
  ['a payload with half a pair', { kind: 'noop', payload: { a: '\\\ud800' } }, /payload: it holds U\+0000/],
  ['a delay in words', { kind: 'noop', delayMs: '1h' }, /delayMs: a number of milliseconds/],
  ['a delay before now', { kind: 'noop', delayMs: -1 }, /delayMs: /],
  ['a delay without end', { kind: 'noop', delayMs: Number.POSITIVE_INFINITY }, /delayMs: /],
  ['a delay that is no number', { kind: 'noop', delayMs: Number.NaN }, /delayMs: /],
  [
    'a priority out of range',
    { kind: 'noop', priority: 32_768 },
    /priority: a whole number from -32768 to 32767/,
  ],
  ['half a priority', { kind: 'noop', priority: 0.5 }, /priority: /],
  ['no attempts', { kind: 'noop', maxAttempts: 0 }, /maxAttempts: a whole number from 1 to 100/],
  ['an empty queue', { kind: 'noop', queue: '' }, /queue: a text of 1 to 200 bytes/],
  ['a unique key of 501 bytes', { kind: 'noop', uniqueKey: `x${'é'.repeat(250)}` }, /uniqueKey: .*500 bytes/],
  ['a mutex with U+0000', { kind: 'noop', mutex: 'a\0' }, /mutex: it holds U\+0000/],
  ['a host with a colon', { kind: 'noop', host: 'web1:22' }, /host: a host name/],
  ['null for a host', { kind: 'noop', host: null }, /host: /],
];

describe('a follow-up task', () => {
  it.each(refused)('is refused for good with %s', (_what, given, message) => {
    expect(() => checkFollowUp(given)).toThrow(
      expect.objectContaining({
        code: 'PAYLOAD_INVALID',
        isPermanent: true,
        message: expect.stringMatching(message),
      }),
    );
  });

  it('is told all its mistakes at once', () => {
    expect(() => checkFollowUp({ kind: '', host: 'a b' })).toThrow(/kind: .*; host: /);
  });

  it('has the payload it had when it was given', () => {
    const payload = { list: [1], when: new Date(0), no: undefined };
    const { payload: copy } = checkFollowUp({ kind: 'noop', payload });
    payload.list.push(2);
    expect(copy).toEqual({ list: [1], when: '1970-01-01T00:00:00.000Z' });
    expect(checkFollowUp({ kind: 'noop' }).payload).toEqual({});
  });

  it('may say what only looks like what cannot be stored', () => {
    const payload = { a: '\\u0000', b: '\\\\ud800', c: '😀' };
    expect(checkFollowUp({ kind: 'noop', payload }).payload).toEqual(payload);
  });
});

describe('what is accepted', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await database.query(`insert into tend.hosts (host, last_worker) values ('web1', 'x')`);
  });
  afterAll(async () => await database[Symbol.asyncDispose]());

  const text = fc.string({ unit: 'binary', minLength: 0, maxLength: 300 });
  const anyTask = fc.record(
    {
      kind: fc.oneof(fc.constant('noop'), fc.stringMatching(/^[a-z0-9._: -]{0,70}$/)),
      payload: fc.dictionary(text, fc.jsonValue({ stringUnit: 'binary' })),
      delayMs: fc.oneof(fc.double(), fc.nat()),
      queue: text,
      priority: fc.oneof(fc.integer(), fc.integer({ min: -32_768, max: 32_767 })),
      uniqueKey: text,
      mutex: text,
      host: fc.oneof(fc.constant('*'), fc.string({ maxLength: 210 })),
      maxAttempts: fc.integer({ min: -1, max: 101 }),
    },
    { requiredKeys: ['kind'] },
  );

  it('is accepted by the server too', async () => {
    await fc.assert(
      fc.asyncProperty(anyTask, async (given) => {
        let task: unknown;
        try {
          task = checkFollowUp(given);
        } catch {
          return;
        }
        const enqueue = 'select tend.enqueue_follow_ups(1, $1::jsonb) as count';
        expect(await database.query(enqueue, [JSON.stringify([task])])).toEqual([{ count: 1 }]);
      }),
      { numRuns: 150 },
    );
  });
});
