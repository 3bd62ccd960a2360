import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/log.ts';
import type { MailOutcome } from '../../../src/mail/delivery/mail-outcome.ts';
import { deliverOverSmtp } from '../../../src/mail/smtp/deliver-over-smtp.ts';
import { SmtpPool } from '../../../src/mail/smtp/smtp-pool.ts';
import { type ScriptedSmtpServerOptions, scriptedSmtpServer } from '../scripted-smtp-server.ts';
import { deliverOnce } from '../support/deliver-once.ts';
import { transportTo } from '../support/mail-settings-for.ts';

const raw = Buffer.from('From: a@x.test\r\nTo: b@x.test\r\nSubject: s\r\n\r\nHi\r\n.\r\n..two\r\n');

interface Attempt {
  port: number;
  to?: string[];
  raw?: Buffer;
  timeoutMs?: number;
  signal?: AbortSignal;
  beforeEnd?: () => Promise<void>;
}

async function attempt({ port, timeoutMs = 20_000, ...more }: Attempt): Promise<MailOutcome> {
  return await deliverOnce({
    transport: transportTo(port, { timeoutMs }),
    from: 'a@x.test',
    to: ['b@x.test'],
    raw,
    beforeEnd: async () => {},
    signal: new AbortController().signal,
    log: silentLog,
    ...more,
  });
}

function summary(outcome: MailOutcome): string {
  if (outcome.state !== 'not-delivered') return outcome.state;
  return `${outcome.error.code}${outcome.error.isPermanent ? ' for good' : ''}`;
}

describe('a conversation that goes well', () => {
  it('hands over the exact bytes and gives the reply', async () => {
    await using server = await scriptedSmtpServer();
    expect(await attempt(server)).toEqual({
      state: 'answered',
      reply: '250 2.0.0 Ok: queued as 12345',
      recipients: [{ address: 'b@x.test', status: 'accepted' }],
    });
    expect(server.messages).toEqual([raw.toString()]);
    expect(server.commands.at(-1)).toBe('QUIT');
  });

  it('asks for SMTPUTF8 where only a header needs it', async () => {
    await using server = await scriptedSmtpServer({ extensions: ['SMTPUTF8'] });
    await attempt({ ...server, raw: Buffer.from('Reply-To: żółw@x.test\r\n\r\nHi\r\n') });
    expect(server.commands).toContain('MAIL FROM:<a@x.test> SMTPUTF8');
  });

  it('declares the size, and 8BITMIME where the body needs it', async () => {
    await using server = await scriptedSmtpServer();
    await attempt({ ...server, raw: Buffer.from('Subject: s\r\n\r\nżółw\r\n') });
    expect(server.commands).toContain('MAIL FROM:<a@x.test> BODY=8BITMIME SIZE=23');
  });

  it('survives a reply in pieces, in Unicode and over several lines', async () => {
    await using server = await scriptedSmtpServer({
      onMessage: (socket) => {
        socket.write('250-2.0.0 przyję');
        setTimeout(() => socket.write('to\r\n250 dalej\r\n'), 20);
      },
    });
    expect(await attempt(server)).toMatchObject({
      state: 'answered',
      reply: expect.stringContaining('przyjęto 250 dalej'),
    });
  });

  it('records before the last bytes leave that they may be out', async () => {
    let isRecorded = false;
    let wasRecordedAtEnd: boolean | undefined;
    await using server = await scriptedSmtpServer({
      onMessage: (socket) => {
        wasRecordedAtEnd = isRecorded;
        socket.write('250 Ok\r\n');
      },
    });
    const beforeEnd = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      isRecorded = true;
    };
    await attempt({ ...server, beforeEnd });
    expect(wasRecordedAtEnd).toBe(true);
  });
});

describe.each([
  ['one by one', []],
  ['with PIPELINING', ['PIPELINING']],
])('what a lost or refused conversation means, %s', (_how, pipelining) => {
  it.each<[string, ScriptedSmtpServerOptions, string]>([
    ['dropped on connect', { dropAt: 'greeting' }, 'MAIL_SERVER_UNREACHABLE'],
    ['dropped at EHLO', { dropAt: 'EHLO' }, 'MAIL_SERVER_UNREACHABLE'],
    ['dropped at MAIL', { dropAt: 'MAIL' }, 'MAIL_SERVER_UNREACHABLE'],
    ['dropped at RCPT', { dropAt: 'RCPT' }, 'MAIL_SERVER_UNREACHABLE'],
    ['dropped at DATA', { dropAt: 'DATA' }, 'MAIL_SERVER_UNREACHABLE'],
    ['dropped after the final dot', { dropAt: 'message' }, 'unknown'],
    ['a fragment of a reply after the dot', { onMessage: (socket) => socket.end('25') }, 'unknown'],
    ['a cut-off failure after the dot', { onMessage: (socket) => socket.end('451 try') }, 'unknown'],
    ['a second 354 after the dot', { replies: { message: '354 Go on' } }, 'unknown'],
    ['nonsense after the dot', { replies: { message: 'what?' } }, 'unknown'],
    ['421 greeting', { replies: { greeting: '421 too busy' } }, 'MAIL_SERVER_TEMPORARY'],
    ['554 greeting', { replies: { greeting: '554 no service here' } }, 'MAIL_SERVER_TEMPORARY'],
    [
      'a greeting of another protocol',
      { replies: { greeting: 'SSH-2.0-OpenSSH_9' } },
      'MAIL_SERVER_UNREACHABLE',
    ],
    ['421 at MAIL', { replies: { MAIL: '421 closing' } }, 'MAIL_SERVER_TEMPORARY'],
    ['451 at MAIL', { replies: { MAIL: '451 later' } }, 'MAIL_SERVER_TEMPORARY'],
    ['550 at MAIL', { replies: { MAIL: '550 not you' } }, 'MAIL_MESSAGE_INVALID for good'],
    ['530 at MAIL', { replies: { MAIL: '530 5.7.0 Authentication required' } }, 'MAIL_SERVER_REFUSED'],
    ['503 at MAIL', { replies: { MAIL: '503 bad sequence' } }, 'MAIL_SERVER_TEMPORARY'],
    ['450 at RCPT', { replies: { RCPT: '450 4.2.0 greylisted' } }, 'MAIL_SERVER_TEMPORARY'],
    ['550 at RCPT', { replies: { RCPT: '550 5.1.1 no such user' } }, 'MAIL_RECIPIENTS_REFUSED for good'],
    ['530 at RCPT', { replies: { RCPT: '530 5.7.0 Authentication required' } }, 'MAIL_SERVER_REFUSED'],
    ['451 at DATA', { replies: { DATA: '451 later' } }, 'MAIL_SERVER_TEMPORARY'],
    ['554 at DATA', { replies: { DATA: '554 no' } }, 'MAIL_MESSAGE_INVALID for good'],
    ['421 after the dot', { replies: { message: '421 closing' } }, 'MAIL_SERVER_TEMPORARY'],
    ['451 after the dot', { replies: { message: '451 later' } }, 'MAIL_SERVER_TEMPORARY'],
    ['552 after the dot', { replies: { message: '552 too much' } }, 'MAIL_MESSAGE_INVALID for good'],
    ['a message over SIZE', { extensions: ['SIZE 20'] }, 'MAIL_MESSAGE_INVALID for good'],
  ])('%s', async (_, options, expected) => {
    const { extensions = ['8BITMIME', 'SIZE 10000000'] } = options;
    await using server = await scriptedSmtpServer({ ...options, extensions: [...extensions, ...pipelining] });
    expect(summary(await attempt(server))).toBe(expected);
  });
});

describe('a conversation that breaks around the end of the message', () => {
  it('nobody listening', async () => {
    const port = await closedPort();
    expect(summary(await attempt({ port }))).toBe('MAIL_SERVER_UNREACHABLE');
  });

  it('dropped before the commit is written: the message never had an end', async () => {
    const dropped = Promise.withResolvers<void>();
    await using server = await scriptedSmtpServer({ dropAfterBytes: 1, onDrop: dropped.resolve });
    const large = Buffer.concat([raw, Buffer.from(`${'x'.repeat(76)}\r\n`.repeat(2000))]);
    const beforeEnd = async () => {
      await dropped.promise;
      // The connection is on this host and in this process: after some turns of the loop both ends know.
      for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    expect(summary(await attempt({ ...server, raw: large, beforeEnd }))).toBe('MAIL_SERVER_UNREACHABLE');
    expect(server.messages).toEqual([]);
  });

  it('a commit that cannot be written is thrown as it came, and the message has not left', async () => {
    await using server = await scriptedSmtpServer();
    const failure = new Error('database gone');
    await expect(attempt({ ...server, beforeEnd: () => Promise.reject(failure) })).rejects.toBe(failure);
    expect(server.messages).toEqual([]);
  });

  it('a 250 before the message has ended is not believed', async () => {
    await using server = await scriptedSmtpServer({ replies: { DATA: '354 Go on\r\n250 Ok, had enough' } });
    const beforeEnd = () => new Promise<void>((resolve) => setTimeout(resolve, 200));
    expect(summary(await attempt({ ...server, beforeEnd }))).toBe('MAIL_SERVER_UNREACHABLE');
  });
});

describe('the deadline', () => {
  it.each<[string, ScriptedSmtpServerOptions, string]>([
    ['a server that says nothing', { silentAt: 'greeting' }, 'MAIL_SERVER_UNREACHABLE'],
    ['silence at RCPT', { silentAt: 'RCPT' }, 'MAIL_SERVER_UNREACHABLE'],
    ['silence after the dot', { silentAt: 'message' }, 'unknown'],
  ])('%s is cut off', async (_, options, expected) => {
    await using server = await scriptedSmtpServer(options);
    expect(summary(await attempt({ ...server, timeoutMs: 300 }))).toBe(expected);
  });

  it('a connection lost after the dot leaves open only what the server had not refused before', async () => {
    await using server = await scriptedSmtpServer({
      replies: { RCPT: (line) => (line.includes('gone') ? '550 Gone' : '250 Ok') },
      dropAt: 'message',
    });
    expect(await attempt({ ...server, to: ['b@x.test', 'gone@x.test'] })).toMatchObject({
      state: 'unknown',
      recipients: [{ address: 'gone@x.test', status: 'refused' }],
    });
  });

  it('a reply that trickles for ever after the dot is cut off as unknown', async () => {
    const timers: NodeJS.Timeout[] = [];
    await using server = await scriptedSmtpServer({
      onMessage: (socket) => void timers.push(setInterval(() => socket.write('250-more\r\n'), 20)),
    });
    const outcome = await attempt({ ...server, timeoutMs: 400 });
    for (const timer of timers) clearInterval(timer);
    expect(outcome).toEqual({
      ...{ state: 'unknown', recipients: [], reason: expect.stringContaining('no reply came within') },
    });
  });

  it('a signal stops a conversation at once: before the end nothing is lost, after it nobody knows', async () => {
    for (const [silentAt, expected] of [
      ['RCPT', 'INTERRUPTED'],
      ['message', 'unknown'],
    ] as const) {
      const controller = new AbortController();
      await using server = await scriptedSmtpServer({ silentAt });
      // The second one lasts until the deadline: its reply is waited for.
      const outcome = attempt({ ...server, signal: controller.signal, timeoutMs: 5000 });
      await until(
        () =>
          server.commands.some((line) => line.startsWith('RCPT')) &&
          (silentAt === 'RCPT' || server.messages.length > 0),
      );
      controller.abort();
      expect(summary(await outcome)).toBe(expected);
    }
  });

  it('a signal and an early refusal hold for a server that reads the message too slowly or not at all', async () => {
    const long = Buffer.concat([raw, Buffer.from(`${'x'.repeat(70)}\r\n`.repeat(500_000))]);
    const extensions = ['8BITMIME'];
    await using deaf = await scriptedSmtpServer({ extensions, onData: (socket) => void socket.pause() });
    const controller = new AbortController();
    const stopped = attempt({ ...deaf, raw: long, signal: controller.signal, timeoutMs: 60_000 });
    await until(() => deaf.commands.includes('DATA'));
    controller.abort();
    expect(summary(await stopped)).toBe('INTERRUPTED');

    await using refusing = await scriptedSmtpServer({
      extensions,
      onData(socket) {
        socket.pause();
        socket.write('552 5.3.4 too large\r\n');
      },
    });
    expect(summary(await attempt({ ...refusing, raw: long, timeoutMs: 60_000 }))).toBe(
      'MAIL_MESSAGE_INVALID for good',
    );

    const timers: NodeJS.Timeout[] = [];
    await using slow = await scriptedSmtpServer({
      extensions,
      onData(socket) {
        socket.pause();
        const sip = () => {
          socket.resume();
          socket.once('data', () => socket.pause());
        };
        timers.push(setInterval(sip, 100));
      },
    });
    const late = await attempt({ ...slow, raw: long, timeoutMs: 1000 });
    for (const timer of timers) clearInterval(timer);
    expect(summary(late)).toBe('MAIL_SERVER_UNREACHABLE');
    expect(slow.messages).toEqual([]);
  });
});

describe('recipients', () => {
  const replies = {
    RCPT: (line: string) => {
      if (line.includes('deferred')) return '450 4.2.1 later';
      return line.includes('refused') ? '550 5.1.1 <refused@x.test> unknown' : '250 Ok';
    },
  };

  it.each([
    ['one by one', []],
    ['with PIPELINING', ['PIPELINING']],
  ])('each have their own result, %s', async (_, extensions) => {
    await using server = await scriptedSmtpServer({ replies, extensions });
    const outcome = await attempt({ ...server, to: ['ok@x.test', 'deferred@x.test', 'refused@x.test'] });
    expect(outcome).toMatchObject({
      state: 'answered',
      recipients: [
        { address: 'ok@x.test', status: 'accepted' },
        { address: 'deferred@x.test', status: 'deferred', reply: '450 4.2.1 later' },
        { address: 'refused@x.test', status: 'refused', reply: '550 5.1.1 <refused@x.test> unknown' },
      ],
    });
  });

  it('all refused by a server that asks for the message all the same get an empty one, and the next message its turn', async () => {
    await using server = await scriptedSmtpServer({
      extensions: ['PIPELINING'],
      replies: {
        ...replies,
        message: () => (server.recipients.length === 1 ? '554 no valid recipients' : '250 Ok'),
      },
    });
    const transport = transportTo(server.port, { timeoutMs: 20_000 });
    await using pool = new SmtpPool({ transport, connections: 1 });
    const rest = { transport, pool, from: 'a@x.test', isOwnSender: false, raw, log: silentLog };
    const deliver = async (to: string) =>
      await deliverOverSmtp({
        ...{ ...rest, to: [to], signal: new AbortController().signal, beforeEnd: async () => {} },
      });
    expect(summary(await deliver('refused@x.test'))).toBe('MAIL_RECIPIENTS_REFUSED for good');
    expect(summary(await deliver('ok@x.test'))).toBe('answered');
    expect(server.messages.filter((message) => message.trim() !== '')).toEqual([raw.toString()]);
    expect(server.connections).toHaveLength(1);
  });

  it('all refused by a server that closes the connection then are refused all the same', async () => {
    await using server = await scriptedSmtpServer({ replies, extensions: ['PIPELINING'], dropAt: 'DATA' });
    const outcome = await attempt({ ...server, to: ['refused@x.test'] });
    expect(summary(outcome)).toBe('MAIL_RECIPIENTS_REFUSED for good');
  });

  it('all refused or put off fails for now, with the result of each', async () => {
    await using server = await scriptedSmtpServer({ replies });
    const outcome = await attempt({ ...server, to: ['refused@x.test', 'deferred@x.test'] });
    expect(summary(outcome)).toBe('MAIL_SERVER_TEMPORARY');
    expect(outcome).toMatchObject({ recipients: [{ status: 'refused' }, { status: 'deferred' }] });
  });

  it('are not named in the message of an error', async () => {
    await using server = await scriptedSmtpServer({ replies });
    const outcome = await attempt({ ...server, to: ['refused@x.test'] });
    expect(outcome).toMatchObject({ error: { message: expect.stringContaining('<r…@x.test> unknown') } });
  });

  it('beyond ASCII go to a server with SMTPUTF8 and are refused for good by us for any other', async () => {
    await using modern = await scriptedSmtpServer({ extensions: ['SMTPUTF8', '8BITMIME'] });
    expect(summary(await attempt({ ...modern, to: ['żółw@x.test'] }))).toBe('answered');
    expect(modern.commands).toContain('MAIL FROM:<a@x.test> SMTPUTF8');
    await using old = await scriptedSmtpServer();
    expect(summary(await attempt({ ...old, to: ['żółw@x.test'] }))).toBe('MAIL_ADDRESS_INVALID for good');
    expect(old.recipients).toEqual([]);
    const header = Buffer.from('Reply-To: żółw@x.test\r\n\r\nx\r\n');
    expect(summary(await attempt({ ...old, raw: header }))).toBe('MAIL_ADDRESS_INVALID for good');
  });
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function closedPort(): Promise<number> {
  const server = await scriptedSmtpServer();
  await server[Symbol.asyncDispose]();
  return server.port;
}
