import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/log.ts';
import { freePort } from '../../support/free-port.ts';
import { noPostfix, postfixProgram } from '../../support/postfix.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { deliverOnce } from '../support/deliver-once.ts';

/** After its 421 the sink cuts the connection; whether the reply or the cut is seen first is up to the network. */
const disconnected = expect.stringMatching(/^MAIL_SERVER_(TEMPORARY|UNREACHABLE)$/);

const program = postfixProgram('smtp-sink');

/** One delivery to Postfix's sink started with `args`; what came of it, and the copies the sink has kept. */
async function deliver(args: string[]): Promise<{ outcome: string; copies: number }> {
  if (program === undefined) throw new Error(noPostfix);
  await using directory = await temporaryDirectory();
  const port = await freePort();
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  const sink = spawn(
    program.path,
    [...user, '-d', join(directory.path, 'copy-'), ...args, `127.0.0.1:${port}`, '10'],
    { stdio: 'ignore', env: program.env },
  );
  try {
    await listening(port, sink);
    const outcome = await deliverOnce({
      transport: {
        type: 'smtp',
        host: '127.0.0.1',
        port,
        security: 'loopback',
        credentials: undefined,
        caFile: undefined,
        timeoutMs: 20_000,
      },
      from: 'a@x.test',
      to: ['b@x.test', 'c@x.test'],
      raw: Buffer.from('Subject: sink\r\n\r\nHi\r\n'),
      beforeEnd: async () => {},
      signal: new AbortController().signal,
      log: silentLog,
    });
    const state = outcome.state === 'not-delivered' ? outcome.error.code : outcome.state;
    await end(sink); // it is done with its files only then
    return { outcome: state, copies: await countCopies(directory.path) };
  } finally {
    await end(sink);
  }
}

async function end(sink: ChildProcess): Promise<void> {
  if (sink.exitCode !== null || sink.signalCode !== null) return;
  sink.kill();
  await once(sink, 'exit');
}

describe('against Postfix’s smtp-sink', () => {
  beforeEach(({ skip }) => skip(program === undefined, noPostfix));

  it.each([
    ['-8', 'answered', 1],
    ['-q connect', 'MAIL_SERVER_UNREACHABLE', 0],
    ['-q ehlo', 'MAIL_SERVER_UNREACHABLE', 0],
    ['-q mail', 'MAIL_SERVER_UNREACHABLE', 0],
    ['-q rcpt', 'MAIL_SERVER_UNREACHABLE', 0],
    ['-q data', 'MAIL_SERVER_UNREACHABLE', 0],
    ['-q .', 'unknown', 1],
    ['-Q connect', disconnected, 0],
    ['-Q mail', disconnected, 0],
    ['-Q rcpt', disconnected, 0],
    ['-Q data', disconnected, 0],
    ['-r mail', 'MAIL_SERVER_TEMPORARY', 0],
    ['-r rcpt', 'MAIL_SERVER_TEMPORARY', 0],
    ['-r data', 'MAIL_SERVER_TEMPORARY', 0],
    // The sink keeps what it has read before it refuses it.
    ['-r .', 'MAIL_SERVER_TEMPORARY', 1],
    ['-f connect', 'MAIL_SERVER_TEMPORARY', 0],
    ['-f mail', 'MAIL_MESSAGE_INVALID', 0],
    ['-f rcpt', 'MAIL_RECIPIENTS_REFUSED', 0],
    ['-f data', 'MAIL_MESSAGE_INVALID', 0],
    ['-f .', 'MAIL_MESSAGE_INVALID', 1],
  ])('%s', async (args, outcome, copies) => {
    expect(await deliver(args.split(' '))).toEqual({ outcome, copies });
  });
});

async function countCopies(path: string): Promise<number> {
  const files = await Promise.all((await readdir(path)).map((name) => readFile(join(path, name), 'utf8')));
  return files.filter((text) => text.includes('Subject: sink')).length;
}

async function listening(port: number, sink: ChildProcess): Promise<void> {
  while (sink.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`smtp-sink ended with ${sink.exitCode}`);
}
