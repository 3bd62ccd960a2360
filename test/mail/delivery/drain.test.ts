import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createQueueSite, type QueueSite } from '../../e2e/queue-site.ts';
import { freePort } from '../../support/free-port.ts';
import { type ScriptedSmtpServerOptions, scriptedSmtpServer } from '../scripted-smtp-server.ts';

let site: QueueSite;

beforeEach(async () => {
  site = await createQueueSite();
});
afterEach(async () => {
  await site[Symbol.asyncDispose]();
});

/** `[mail]` that begins with a server on this host. */
async function configure(port: number, more = ''): Promise<void> {
  await site.configure(
    `[mail]\nurl = "smtp://127.0.0.1:${port}?tls=off"\nfrom = "cms@example.org"\ntimeout = "20s"\n${more}`,
  );
}

async function enqueue(count: number, payload: object = {}): Promise<void> {
  await site.database.query(
    `select tend.enqueue('send-mail', jsonb_build_object('to', 'user' || n || '@x.test', 'subject', 'No. ' || n,
                                                         'text', 'Hi') || $2::jsonb)
       from generate_series(1, $1::int) n`,
    [count, JSON.stringify(payload)],
  );
}

async function tick(...args: string[]) {
  const { exitCode, stderr, stdout } = await site.command(['run-due-tasks', ...args]);
  return { exitCode, stderr, stdout };
}

/** `state/attempt` of the tasks, with how many there are of each. */
async function tasks(): Promise<Record<string, number>> {
  const rows = await site.database.query<{ key: string; count: number }>(
    `select state || '/' || attempt as key, count(*)::int as count from tend.tasks group by 1`,
  );
  return Object.fromEntries(rows.map(({ key, count }) => [key, count]));
}

async function runDue(): Promise<void> {
  await site.database.query(`update tend.tasks set run_at = now() where state = 'waiting'`);
}

describe('a drain', () => {
  it('sends many messages over few connections and one session, each once', async () => {
    await using server = await scriptedSmtpServer({ extensions: ['8BITMIME', 'PIPELINING'] });
    await configure(server.port, 'connections = 3\n');
    await enqueue(60);
    expect((await tick('--drain')).exitCode).toBe(0);
    expect(await tasks()).toEqual({ 'succeeded/1': 60 });
    expect(server.messages).toHaveLength(60);
    expect(new Set(server.recipients).size).toBe(60);
    expect(server.connections.length).toBeLessThanOrEqual(3);
    expect(server.commands.filter((line) => line === 'QUIT')).toHaveLength(server.connections.length);
  });

  it('that cannot note how the server is records what became of each message all the same', async () => {
    await using server = await scriptedSmtpServer();
    await configure(server.port);
    await site.database.query('alter table tend.mail_servers rename to gone');
    await enqueue(10);
    expect((await tick()).exitCode).toBe(0);
    expect(await tasks()).toEqual({ 'succeeded/1': 10 });
    expect(server.messages).toHaveLength(10);
  });

  it('of two at once sends each message once', async () => {
    await using server = await scriptedSmtpServer();
    await configure(server.port);
    await enqueue(60);
    const both = await Promise.all([site.tend(['run-due-tasks']), site.tend(['run-due-tasks'])]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(server.recipients).toHaveLength(60);
    expect(new Set(server.recipients).size).toBe(60);
  });

  it('opens another connection where the server has closed one that idled', async () => {
    let replies = 0;
    await using server = await scriptedSmtpServer({
      replies: {
        MAIL: () => {
          replies += 1;
          return replies % 3 === 0 ? '421 Idle for too long' : '250 Ok';
        },
      },
    });
    await configure(server.port, 'connections = 1\n');
    await enqueue(4);
    expect((await tick()).exitCode).toBe(0);
    expect(await tasks()).toEqual({ 'succeeded/1': 4 });
    expect(server.messages).toHaveLength(4);
  });

  it('puts the results of single recipients down: taken ones get it no more, deferred ones alone are tried again', async () => {
    const answers: Record<string, string> = { 'bad@x.test': '550 No such user', 'grey@x.test': '450 Later' };
    const replies = {
      RCPT: (line: string) => answers[/<(.*)>/.exec(line)?.[1] ?? ''] ?? '250 Ok',
    };
    await using server = await scriptedSmtpServer({ replies });
    await configure(server.port);
    await enqueue(1, { to: ['good@x.test', 'bad@x.test', 'grey@x.test'] });
    expect((await tick()).exitCode).toBe(0);
    expect(await tasks()).toEqual({ 'waiting/1': 1 });
    delete answers['grey@x.test'];
    server.recipients.length = 0;
    await runDue();
    expect((await tick()).exitCode).toBe(0);
    expect(server.recipients).toEqual(['grey@x.test']);
    const [row] = await site.database.query(`select state, recipients from tend.deliveries`);
    expect(row).toMatchObject({
      state: 'partly-sent',
      recipients: [{ status: 'accepted' }, { status: 'refused' }, { status: 'accepted' }],
    });
    expect(server.messages).toHaveLength(2);
    expect(server.messages[0]).toBe(server.messages[1]);
  });
});

describe('a server that fails', () => {
  it('stops the drain: the rows wait uncounted, exit 75, one alert, and the next tick tries it with one message', async () => {
    const port = await freePort();
    await configure(port);
    await enqueue(50);
    const first = await tick();
    expect(first.exitCode).toBe(75);
    expect(first.stderr).toContain('cannot be reached');
    expect(first.stderr.trim().split('\n')).toHaveLength(1);
    expect(await tasks()).toEqual({ 'waiting/0': 50 });
    expect(await tick()).toMatchObject({ exitCode: 75, stderr: '' });
    expect(await tasks()).toEqual({ 'waiting/0': 50 });
  });

  it.each([
    ['greets with 554', { replies: { greeting: '554 Not today' } }],
    ['greets with 421', { replies: { greeting: '421 Busy' } }],
    ['drops at EHLO', { dropAt: 'EHLO' as const }],
    ['answers MAIL with 421', { replies: { MAIL: '421 Closing' } }],
  ])('and %s is tried with one connection by the next tick', async (_name, behaviour) => {
    const options: ScriptedSmtpServerOptions = { ...behaviour };
    await using server = await scriptedSmtpServer(options);
    await configure(server.port);
    await enqueue(30);
    expect((await tick()).exitCode).toBe(75);
    expect(server.messages).toEqual([]);
    const before = server.connections.length;
    expect((await tick()).exitCode).toBe(75);
    expect(server.connections.length).toBe(before + 1);
    expect(await tasks()).toEqual({ 'waiting/0': 30 });
    delete options.replies;
    delete options.dropAt;
    expect((await tick()).exitCode).toBe(0);
    expect(await tasks()).toEqual({ 'succeeded/1': 30 });
    expect(server.messages).toHaveLength(30);
  });

  it('that refuses our password is a configuration failure: exit 78, and not tried again until the settings change', async () => {
    const replies = { AUTH: '535 Wrong' };
    await using server = await scriptedSmtpServer({ extensions: ['AUTH PLAIN'], replies });
    const configured = (password: string) =>
      site.configure(
        `[mail]\nurl = "smtp://cms:${password}@127.0.0.1:${server.port}"\nfrom = "cms@example.org"\n`,
      );
    await configured('wrong');
    await enqueue(20);
    const first = await tick();
    expect(first.exitCode).toBe(78);
    expect(first.stderr).not.toContain('wrong@');
    const before = server.connections.length;
    expect(await tick()).toMatchObject({ exitCode: 78, stderr: '' });
    expect(server.connections.length).toBe(before);
    expect(await tasks()).toEqual({ 'waiting/0': 20 });
    replies.AUTH = '235 Welcome';
    await configured('right');
    expect((await tick()).exitCode).toBe(0);
    expect(await tasks()).toEqual({ 'succeeded/1': 20 });
  });

  it('that refuses the sender of [mail] from is a configuration failure, and no message is failed for it', async () => {
    await using server = await scriptedSmtpServer({ replies: { MAIL: '550 5.7.1 Sender not allowed' } });
    await configure(server.port);
    await enqueue(5);
    expect((await tick()).exitCode).toBe(78);
    expect(await tasks()).toEqual({ 'waiting/0': 5 });
  });

  it('after it had whole messages and put them off, one after the other, leaves none of them in doubt', async () => {
    await using server = await scriptedSmtpServer({ replies: { message: '451 4.3.0 Disk full' } });
    await configure(server.port, 'connections = 1\n');
    await enqueue(8);
    expect((await tick()).exitCode).toBe(75);
    // The first two were each their own fault, from the third on it was the server's.
    expect(await tasks()).toEqual({ 'waiting/1': 2, 'waiting/0': 6 });
    const states = await site.database.query('select distinct state from tend.deliveries');
    expect(states).toEqual([{ state: 'composed' }]);
  });

  it('and has put a whole message off hands it to the fallback, which takes it', async () => {
    await using server = await scriptedSmtpServer({ replies: { message: '451 4.3.0 Disk full' } });
    await using standIn = await scriptedSmtpServer();
    await configure(
      server.port,
      `connections = 1\nfallback = "other"\n[mail.servers.other]\nurl = "smtp://127.0.0.1:${standIn.port}?tls=off"\n`,
    );
    await enqueue(8);
    expect((await tick()).exitCode).toBe(0);
    expect(standIn.messages).toHaveLength(6);
    expect(await tasks()).toEqual({ 'waiting/1': 2, 'succeeded/1': 6 });
  });

  it('hands its messages to the fallback', async () => {
    const port = await freePort();
    await using standIn = await scriptedSmtpServer();
    await configure(
      port,
      `fallback = "other"\n[mail.servers.other]\nurl = "smtp://127.0.0.1:${standIn.port}?tls=off"\n`,
    );
    await enqueue(20);
    expect((await tick()).exitCode).toBe(0);
    expect(await tasks()).toEqual({ 'succeeded/1': 20 });
    expect(standIn.messages).toHaveLength(20);
    expect(await site.database.query('select distinct server from tend.deliveries')).toEqual([
      { server: 'other' },
    ]);
  });

  it('keeps back only the messages that are for it', async () => {
    const port = await freePort();
    await using server = await scriptedSmtpServer();
    await configure(server.port, `[mail.servers.bulk]\nurl = "smtp://127.0.0.1:${port}?tls=off"\n`);
    await enqueue(5, { server: 'bulk' });
    await enqueue(5);
    await tick();
    expect(await tasks()).toEqual({ 'waiting/0': 5, 'succeeded/1': 5 });
  });
});

describe('a message that makes the server hang up', () => {
  it('does not keep the others back', async () => {
    await using server = await scriptedSmtpServer({
      dropAtText: 'Subject: Poison\r\n',
    });
    await configure(server.port, 'connections = 1\n');
    // Its end is kept back until the rest has left.
    await enqueue(1, { subject: 'Poison', text: 'A line of it\n'.repeat(500_000) });
    await enqueue(9);
    expect((await tick()).exitCode).toBe(0);
    expect(await tasks()).toEqual({ 'waiting/1': 1, 'succeeded/1': 9 });
  });
});

describe('an LMTP server', () => {
  it('answers for each recipient after the message', async () => {
    const answers: Record<string, string> = { 'full@x.test': '452 Over quota', 'gone@x.test': '550 Gone' };
    await using server = await scriptedSmtpServer({ replies: { message: (to) => answers[to] ?? '250 Ok' } });
    await site.configure(`[mail]\nurl = "lmtp://127.0.0.1:${server.port}"\nfrom = "cms@example.org"\n`);
    await enqueue(1, { to: ['good@x.test', 'full@x.test', 'gone@x.test'] });
    await tick();
    const [row] = await site.database.query(`select recipients from tend.deliveries`);
    expect(row).toMatchObject({
      recipients: [{ status: 'accepted' }, { status: 'deferred' }, { status: 'refused' }],
    });
    expect(server.commands[0]).toMatch(/^LHLO /);
  });

  it('that wants a message for nobody is left, and not waited for', async () => {
    await using server = await scriptedSmtpServer({
      replies: { RCPT: '550 Gone' },
      extensions: ['PIPELINING'],
      silentAt: 'message',
    });
    await site.configure(`[mail]\nurl = "lmtp://127.0.0.1:${server.port}"\nfrom = "cms@example.org"\n`);
    await enqueue(1, { to: ['gone@x.test'] });
    expect((await tick()).exitCode).toBe(3);
    expect(await tasks()).toEqual({ 'failed/1': 1 });
  });

  it('that breaks off after the first reply leaves the others in doubt, and the first gets no second copy', async () => {
    const tries = { count: 0 };
    await using server = await scriptedSmtpServer({
      onMessage: (socket) => {
        tries.count += 1;
        if (tries.count === 1) socket.end('250 Ok\r\n');
        else socket.write('250 Ok\r\n550 Gone\r\n');
      },
    });
    await site.configure(`[mail]\nurl = "lmtp://127.0.0.1:${server.port}"\nfrom = "cms@example.org"\n`);
    await enqueue(1, { to: ['one@x.test', 'two@x.test', 'three@x.test'] });
    await tick();
    const deliveries = async () => await site.database.query(`select state, recipients from tend.deliveries`);
    const [one] = [{ address: 'one@x.test', status: 'accepted' }];
    expect(await deliveries()).toMatchObject([
      { state: 'unknown', recipients: [one, { status: 'waiting' }, { status: 'waiting' }] },
    ]);
    const [task] = await site.database.query<{ id: string }>(
      `select id from tend.tasks where state = 'held'`,
    );
    await site.tend(['tasks', 'resolve', String(task?.id), '--resend']);
    server.recipients.length = 0;
    await tick();
    expect(server.recipients).toEqual(['two@x.test', 'three@x.test']);
    expect(await deliveries()).toMatchObject([
      { state: 'partly-sent', recipients: [one, { status: 'accepted' }, { status: 'refused' }] },
    ]);
  });
});

describe('a rate', () => {
  it('that is used up leaves the rest due, and is no failure', async () => {
    await using server = await scriptedSmtpServer();
    await configure(server.port, 'rate = "1/h"\n');
    await enqueue(5);
    expect(await tick()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await tasks()).toEqual({ 'succeeded/1': 1, 'waiting/0': 4 });
    expect(await tick()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(server.messages).toHaveLength(1);
  });

  it('of a recipient domain keeps back only its own', async () => {
    await using server = await scriptedSmtpServer();
    await configure(server.port, '[mail.domains."slow.test"]\nrate = "1/h"\n');
    await enqueue(3, { to: 'ann@slow.test' });
    await enqueue(5);
    expect((await tick()).exitCode).toBe(0);
    expect(await tasks()).toEqual({ 'succeeded/1': 6, 'waiting/0': 2 });
  });
});

describe('a drain told to stop', () => {
  it('waits for the reply to a message that is out, and gives the rest back', async () => {
    const ticking: { process?: Awaited<ReturnType<QueueSite['start']>> } = {};
    await using server = await scriptedSmtpServer({
      onMessage: (socket) => {
        ticking.process?.child.kill('SIGTERM');
        setTimeout(() => socket.write('250 Ok\r\n'), 300);
      },
    });
    await configure(server.port, 'connections = 1\n');
    await enqueue(10);
    ticking.process = await site.start(['run-due-tasks']);
    expect((await ticking.process.result).exitCode).toBe(143);
    expect(await tasks()).toEqual({ 'succeeded/1': 1, 'waiting/0': 9 });
    expect(
      await site.database.query(`select count(*)::int from tend.deliveries where state = 'committing'`),
    ).toEqual([{ count: 0 }]);
  });
});
