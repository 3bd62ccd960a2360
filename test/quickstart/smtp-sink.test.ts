import { readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLog } from '../../src/log.ts';
import { startSmtpSink } from '../../src/quickstart/smtp-sink.ts';
import { deliverOnce } from '../mail/support/deliver-once.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

function delivery(port: number, raw: string): Parameters<typeof deliverOnce>[0] {
  return {
    transport: {
      ...{ type: 'smtp', host: '127.0.0.1', port, security: 'loopback', timeoutMs: 10_000 },
      ...{ credentials: undefined, caFile: undefined },
    },
    from: 'cms@example.org',
    to: ['ann@example.org', 'żak@example.org'],
    raw: Buffer.from(raw),
    beforeEnd: async () => {},
    signal: new AbortController().signal,
    log: silentLog,
  };
}

it('takes messages from tend’s own mail transport, byte for byte', async () => {
  await using directory = await temporaryDirectory();
  await using sink = await startSmtpSink({ directory: join(directory.path, 'mail') });
  const raw = 'Subject: Zażółć\r\n\r\n.dot\r\n..two\r\n\r\n';
  const outcomes = [await deliverOnce(delivery(sink.port, raw)), await deliverOnce(delivery(sink.port, raw))];
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({
      state: 'answered',
      recipients: [{ status: 'accepted' }, { status: 'accepted' }],
    });
  }
  expect(sink.files).toEqual([join(directory.path, 'mail/1.eml'), join(directory.path, 'mail/2.eml')]);
  for (const file of sink.files) expect(await readFile(file, 'utf8')).toBe(raw);
});

it('goes although a client is still connected', async () => {
  await using directory = await temporaryDirectory();
  const sink = await startSmtpSink({ directory: directory.path });
  const client = createConnection(sink.port, '127.0.0.1');
  const closed = new Promise((resolve) => client.once('close', resolve));
  await new Promise((resolve) => client.once('data', resolve));
  await sink[Symbol.asyncDispose]();
  await closed;
  expect(sink.files).toEqual([]);
});
