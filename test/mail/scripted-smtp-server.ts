import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** A step of an SMTP conversation: the greeting, a command word, or the end of the message. */
export type SmtpStep = 'greeting' | 'EHLO' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'message';

export interface ScriptedSmtpServer extends AsyncDisposable {
  port: number;
  /** What was received between DATA and the final dot, dot-stuffing undone; only complete messages. */
  messages: string[];
  /** Recipients of RCPT TO, in order, over all connections. */
  recipients: string[];
  /** Every command line received. */
  commands: string[];
  /** One entry a connection that was opened. */
  connections: unknown[];
}

export interface ScriptedSmtpServerOptions {
  /** Replies instead of the usual ones (without CRLF); a function gets the command line. */
  replies?: Partial<Record<SmtpStep, string | ((line: string) => string)>>;
  /** Cut the connection instead of replying at this step. */
  dropAt?: SmtpStep;
  /** Cut the connection once this many bytes of the message have come. */
  dropAfterBytes?: number;
  /** Cut the connection when this has come of a message. */
  dropAtText?: string;
  /** Say nothing at this step. */
  silentAt?: SmtpStep;
  /** Called with the socket when the message has been asked for. */
  onData?: (socket: Socket) => void;
  /** Called with the socket instead of replying to the message. */
  onMessage?: (socket: Socket) => void;
  /** Called when `dropAfterBytes` has cut the connection. */
  onDrop?: () => void;
  extensions?: string[];
}

/** A mail server of plain TCP that misbehaves exactly where the test says, and remembers what it was given. */
export async function scriptedSmtpServer(
  options: ScriptedSmtpServerOptions = {},
): Promise<ScriptedSmtpServer> {
  const state = {
    messages: [] as string[],
    recipients: [] as string[],
    commands: [] as string[],
    connections: [] as unknown[],
  };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    converse(socket, options, state);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    ...state,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

interface State {
  messages: string[];
  recipients: string[];
  commands: string[];
  connections: unknown[];
}

function converse(socket: Socket, options: ScriptedSmtpServerOptions, state: State): void {
  const usual: Record<SmtpStep, string> = {
    greeting: '220 scripted ESMTP',
    EHLO: ['scripted', ...(options.extensions ?? ['8BITMIME', 'SIZE 10000000'])]
      .map((line, index, all) => `250${index === all.length - 1 ? ' ' : '-'}${line}`)
      .join('\r\n'),
    AUTH: '235 Welcome',
    MAIL: '250 2.1.0 Ok',
    RCPT: '250 2.1.5 Ok',
    DATA: '354 Go on',
    message: '250 2.0.0 Ok: queued as 12345',
  };
  let received = '';
  let isInMessage = false;
  /** Of an LMTP transaction: each gets a reply of its own. */
  let toAnswer: string[] | undefined;
  state.connections.push(state.connections.length);

  const answer = (step: SmtpStep, line = '') => {
    if (options.dropAt === step) return void socket.destroy();
    if (options.silentAt === step) return;
    const reply = options.replies?.[step] ?? usual[step];
    const text = typeof reply === 'function' ? reply(line) : reply;
    socket.write(`${text}\r\n`);
    if (step !== 'DATA' || !text.startsWith('354')) return;
    isInMessage = true;
    options.onData?.(socket);
  };

  const takeMessage = (): boolean => {
    if (options.dropAtText !== undefined && received.includes(options.dropAtText)) {
      socket.destroy();
      return false;
    }
    if (options.dropAfterBytes !== undefined && received.length >= options.dropAfterBytes) {
      socket.destroy();
      if (options.onDrop !== undefined) socket.once('close', options.onDrop);
      return false;
    }
    // The line end of DATA counts: an empty message is ".\r\n".
    const end = `\r\n${received}`.indexOf('\r\n.\r\n');
    if (end < 0) return false;
    state.messages.push(received.slice(0, end).replace(/^\.\./gm, '.'));
    received = received.slice(end + 3);
    isInMessage = false;
    if (options.onMessage !== undefined) options.onMessage(socket);
    else if (toAnswer === undefined) answer('message');
    else for (const recipient of toAnswer.splice(0)) answer('message', recipient);
    return true;
  };

  const takeCommand = (): boolean => {
    const end = received.indexOf('\r\n');
    if (end < 0) return false;
    const line = received.slice(0, end);
    received = received.slice(end + 2);
    state.commands.push(line);
    const word = line.slice(0, 4).toUpperCase();
    if (word === 'RCPT') {
      state.recipients.push(/<(.*)>/.exec(line)?.[1] ?? '');
      toAnswer?.push(state.recipients.at(-1) ?? '');
    }
    if (word === 'LHLO') toAnswer = [];
    if (word === 'LHLO') answer('EHLO', line);
    else if (word === 'RSET') socket.write('250 Ok\r\n');
    else if (word === 'EHLO' || word === 'AUTH' || word === 'MAIL' || word === 'RCPT' || word === 'DATA')
      answer(word, line);
    else if (word === 'QUIT') socket.end('221 Bye\r\n');
    else socket.write('502 Not here\r\n');
    return true;
  };

  socket.on('data', (chunk) => {
    received += chunk.toString('utf8');
    while (isInMessage ? takeMessage() : takeCommand());
  });
  answer('greeting');
}
