import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/open-database.ts';
import { kindsFingerprint } from '../../src/tasks/kinds-fingerprint.ts';
import { registerKinds } from '../../src/tasks/register-kinds.ts';
import { createQueue, fakeKinds, type Queue, succeed } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

const restore = { run: succeed, mutex: 'db', maxAttempts: 1, onLost: 'hold' } as const;

async function known(): Promise<Record<string, unknown>[]> {
  return await queue.database.query(
    'select kind, max_attempts, on_lost, mutex from tend.kinds order by kind',
  );
}

it('a tick tells the database its kinds once, and again when they change', async () => {
  await queue.tick({ noop: succeed });
  const [before] = await queue.database.query('select xmin from tend.kinds');
  await queue.tick({ noop: succeed });
  expect(await queue.database.query('select xmin from tend.kinds')).toEqual([before]);
  await queue.tick({ noop: { run: succeed, maxAttempts: 9 } });
  expect(await known()).toEqual([{ kind: 'noop', max_attempts: 9, on_lost: 'retry', mutex: null }]);
});

it('kinds of other hosts stay', async () => {
  await queue.tick({ noop: succeed });
  await queue.tick({ restore });
  expect((await known()).map(({ kind }) => kind)).toEqual(['noop', 'restore']);
});

it('a task that came before its kind was known gets its mutex and on_lost', async () => {
  const early = await queue.enqueue('restore');
  await registerKinds({ db: queue.db, kinds: fakeKinds({ restore }) });
  expect(await queue.task(early)).toMatchObject({ mutex: 'db', on_lost: 'hold' });
});

it('and keeps a mutex that the application named', async () => {
  const early = await queue.enqueue('restore', { mutex: 'mine' });
  await registerKinds({ db: queue.db, kinds: fakeKinds({ restore }) });
  expect(await queue.task(early)).toMatchObject({ mutex: 'mine', on_lost: 'hold' });
});

it('a task that came before its kind was known gets its attempts', async () => {
  const early = await queue.enqueue('restore');
  await registerKinds({ db: queue.db, kinds: fakeKinds({ restore }) });
  expect(await queue.task(early)).toMatchObject({ max_attempts: 1, on_lost: 'hold' });
});

it('and keeps attempts that the application named, also where they are the usual five', async () => {
  const early = await queue.enqueue('restore', { max_attempts: 5 });
  await registerKinds({ db: queue.db, kinds: fakeKinds({ restore }) });
  expect(await queue.task(early)).toMatchObject({ max_attempts: 5, on_lost: 'hold' });
});

it('a replacement that names no attempts forgets those of the replaced task', async () => {
  const early = await queue.enqueue('restore', { unique_key: 'k', max_attempts: 7 });
  await queue.enqueue('restore', { unique_key: 'k' });
  await registerKinds({ db: queue.db, kinds: fakeKinds({ restore }) });
  expect(await queue.task(early)).toMatchObject({ max_attempts: 1 });
});

it('a waiting task that would not change is not written', async () => {
  const early = await queue.enqueue('plain', { max_attempts: 3 });
  const [before] = await queue.database.query('select xmin from tend.tasks where id = $1', [early]);
  await registerKinds({ db: queue.db, kinds: fakeKinds({ plain: { run: succeed, onLost: 'retry' } }) });
  expect(await queue.database.query('select xmin from tend.tasks where id = $1', [early])).toEqual([before]);
});

it('several hosts at once register without a conflict', async () => {
  const names = Array.from({ length: 20 }, (_, n) => `kind-${n}`);
  const shuffled = [names, names.toReversed(), [...names.slice(7), ...names.slice(0, 7)]];
  await Promise.all(
    shuffled.map(async (kinds) => {
      await using db = openDatabase({ connection: queue.database.connection, applicationName: 'host' });
      await registerKinds({ db, kinds: fakeKinds(Object.fromEntries(kinds.map((kind) => [kind, succeed]))) });
    }),
  );
  expect(await known()).toHaveLength(20);
});

it('the fingerprint changes with what the database would hold, and with nothing else', () => {
  const fingerprint = (kind: Parameters<typeof fakeKinds>[0]) => kindsFingerprint(fakeKinds(kind).values());
  expect(fingerprint({ restore })).toBe(fingerprint({ restore: { ...restore, timeoutMs: 1 } }));
  for (const other of [{ mutex: 'x' }, { maxAttempts: 2 }, { onLost: 'retry' as const }]) {
    expect(fingerprint({ restore })).not.toBe(fingerprint({ restore: { ...restore, ...other } }));
  }
});
