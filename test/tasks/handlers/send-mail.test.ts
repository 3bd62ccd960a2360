import * as v from 'valibot';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema.ts';
import { knownKinds } from '../../../src/tasks/handlers/registry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { createQueue, type Queue } from '../support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());

async function tick(mail: object, baseDirectory: string) {
  const config = v.parse(configSchema, { mail, tasks: { grace: '1s' } });
  const context = { ...queue.context(), config, baseDirectory };
  return await queue.tick({}, { context, kinds: knownKinds(config), concurrency: 1 });
}

const mail = { url: 'eml:out', from: 'cms@example.org' };
const message = { to: 'bob@x.test', subject: 's', text: 't' };

it('a DKIM key that cannot be read halts mail: no attempt is counted, and what waits goes out when it is put right', async () => {
  await using directory = await temporaryDirectory();
  const ids = [];
  for (let count = 0; count < 3; count += 1) ids.push(await queue.enqueue('send-mail', { payload: message }));
  const dkim = { domain: 'example.org', selector: 'mail', key_file: 'missing.pem' };
  const report = await tick({ ...mail, dkim }, directory.path);
  expect([...report.halted.values()]).toEqual([
    { reason: expect.stringContaining('missing.pem" cannot be used'), exitCode: 78, isNews: true },
  ]);
  for (const id of ids) expect(await queue.task(id)).toMatchObject({ state: 'waiting', attempt: 0 });
  await queue.database.query('update tend.tasks set run_at = now()');
  await tick(mail, directory.path);
  for (const id of ids) expect(await queue.task(id)).toMatchObject({ state: 'succeeded', attempt: 1 });
});

it('a template with a fault fails its own message for good, and no other', async () => {
  await using directory = await temporaryDirectory();
  const bad = await queue.enqueue('send-mail', { payload: { to: 'bob@x.test', template: 'nothing' } });
  const good = await queue.enqueue('send-mail', { payload: message });
  await tick({ ...mail, templates: '.' }, directory.path);
  expect(await queue.task(bad)).toMatchObject({ state: 'failed', reason: 'permanent error', attempt: 1 });
  expect(await queue.task(good)).toMatchObject({ state: 'succeeded' });
});

it('an expired message ends as failed, with that as its reason', async () => {
  await using directory = await temporaryDirectory();
  const payload = { ...message, expiresAt: '2026-01-01T00:00:00Z' };
  const id = await queue.enqueue('send-mail', { payload });
  await tick(mail, directory.path);
  expect(await queue.task(id)).toMatchObject({ state: 'failed', reason: 'expired' });
});
