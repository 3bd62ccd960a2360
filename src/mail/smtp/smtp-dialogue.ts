import type { Socket } from 'node:net';
import { cleanReply, type SmtpError } from './smtp-reply.ts';

/** One reply of a mail server, all its lines on one. */
export interface SmtpReply {
  code: number;
  text: string;
}

const longestReply = 64 * 1024;

interface Waiting extends PromiseWithResolvers<SmtpReply[]> {
  /** How many replies are still to come, and those that have. */
  missing: number;
  replies: SmtpReply[];
}

/**
 * The conversation on a connection that nodemailer has opened, secured and logged in: commands, bytes, and the replies in
 * their order. nodemailer sends a message through two streams of Node's for each, which costs more than all else of it.
 */
export class SmtpDialogue {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #received = '';
  #scanned = 0;
  #failure: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(this.#closed()));
    if (socket.destroyed) this.fail(this.#closed());
  }

  /** What has made the connection unusable. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Nothing has come yet of the replies that were asked for. */
  get isAwaiting(): boolean {
    return this.#waiting[0]?.replies.length === 0;
  }

  /** @throws where the connection breaks, or the server says what is no reply. */
  async say(command: string): Promise<SmtpReply> {
    const [reply] = await this.sayTogether([command]);
    // As many replies as commands.
    return reply as SmtpReply;
  }

  /** In one packet, where the server has announced PIPELINING (RFC 2920). @returns as `replies`. */
  sayTogether(commands: readonly string[]): Promise<SmtpReply[]> {
    this.write(`${commands.join('\r\n')}\r\n`);
    return this.replies(commands.length);
  }

  /**
   * The next replies; fewer where the connection broke after the first, and then `failure` says why. It may be awaited late.
   *
   * @throws as `say`.
   */
  replies(count: number): Promise<SmtpReply[]> {
    const waiting: Waiting = { ...Promise.withResolvers<SmtpReply[]>(), missing: count, replies: [] };
    waiting.promise.catch(() => {});
    if (this.#failure === undefined) this.#waiting.push(waiting);
    else waiting.reject(this.#failure);
    return waiting.promise;
  }

  write(bytes: string | Buffer): void {
    if (this.#failure === undefined) this.#socket.write(bytes);
  }

  /**
   * Resolves once the bytes are with the operating system, the reply to them has come before its time, or the connection
   * has failed: a server that reads no more, or a little now and then, takes no bytes, and nothing else would end it.
   */
  async flush(bytes: Buffer): Promise<void> {
    if (this.#failure !== undefined) return;
    const written = new Promise<void>((resolve) => {
      this.#socket.write(bytes, () => resolve());
    });
    const early = this.#waiting[0]?.promise.catch(() => undefined);
    await (early === undefined ? written : Promise.race([written, early]));
  }

  /** Ends the conversation: whoever waits for a reply, now or later, gets the error. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const { replies, resolve, reject } of this.#waiting.splice(0)) {
      if (replies.length > 0) resolve(replies);
      else reject(this.#failure);
    }
  }

  #take(chunk: Buffer): void {
    // As bytes: a character may come in two pieces.
    this.#received += chunk.toString('latin1');
    for (;;) {
      const end = this.#received.indexOf('\n', this.#scanned);
      if (end < 0) break;
      const line = this.#received.slice(this.#scanned, end);
      this.#scanned = end + 1;
      if (/^\d{3}-/.test(line)) continue;
      const reply = this.#received.slice(0, end);
      this.#received = this.#received.slice(end + 1);
      this.#scanned = 0;
      if (reply.trim() !== '') this.#give(reply, line);
    }
    if (this.#received.length > longestReply) this.fail(new Error('the server does not end its reply'));
  }

  #give(bytes: string, last: string): void {
    const text = cleanReply(decode(bytes).replace(/\r?\n/g, ' '));
    const code = Number(/^[2-5]\d\d(?=[ \r]|$)/.exec(last)?.[0]);
    const waiting = this.#waiting[0];
    if (Number.isNaN(code)) return this.fail(new Error(`the server said "${text}"`));
    if (waiting === undefined) return this.fail(new Error(`the server said "${text}" unasked`));
    waiting.replies.push({ code, text });
    waiting.missing -= 1;
    if (waiting.missing === 0) {
      this.#waiting.shift();
      waiting.resolve(waiting.replies);
    }
    // RFC 5321 §4.2: it closes the connection, and answers none of the commands behind this one.
    if (code === 421) this.fail(brokenOff('the server is closing the connection', { code, text }));
  }

  /** What had come of a last reply may say why. */
  #closed(): SmtpError {
    const text = cleanReply(decode(this.#received));
    const code = Number(/^[45]\d\d(?=[ -])/.exec(text)?.[0]);
    return brokenOff('the server closed the connection', Number.isNaN(code) ? undefined : { code, text });
  }
}

function brokenOff(message: string, reply: SmtpReply | undefined): SmtpError {
  const error: SmtpError = new Error(reply === undefined ? message : `${message}: ${reply.text}`);
  error.code = 'ECONNECTION';
  error.command = 'CONN';
  error.response = reply?.text;
  error.responseCode = reply?.code;
  return error;
}

function decode(bytes: string): string {
  // oxlint-disable-next-line no-control-regex
  return /[^\0-\x7f]/.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;
}
