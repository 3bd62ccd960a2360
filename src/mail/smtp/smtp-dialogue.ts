import type { Socket } from 'node:net';
import { cleanReply } from './smtp-reply.ts';

/** One reply of a mail server, all its lines on one. */
export interface SmtpReply {
  code: number;
  text: string;
}

const longestReply = 64 * 1024;

/**
 * Says commands on a connection that is open and logged in, one at a time, and gives each reply: for what nodemailer has
 * no call for, since it goes on to the message after the recipients. The connection is of no use to it afterwards.
 */
export class SmtpDialogue {
  readonly #socket: Socket;
  #received = '';
  #waiting: PromiseWithResolvers<SmtpReply> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.removeAllListeners('data');
    socket.on('data', (chunk) => this.#take(String(chunk)));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('the server closed the connection')));
  }

  /** @throws where the connection breaks, or the server says what is no reply. */
  async say(command: string): Promise<SmtpReply> {
    this.#waiting = Promise.withResolvers<SmtpReply>();
    this.#received = '';
    if (this.#socket.destroyed) this.#waiting.reject(new Error('the server closed the connection'));
    else this.#socket.write(`${command}\r\n`);
    return await this.#waiting.promise;
  }

  #take(chunk: string): void {
    this.#received += chunk;
    if (this.#received.length > longestReply)
      this.#waiting?.reject(new Error('the server does not end its reply'));
    const lines = this.#received.split('\n').slice(0, -1);
    const last = lines.at(-1) ?? '';
    if (lines.length === 0 || /^\d{3}-/.test(last)) return;
    const code = Number(/^[2-5]\d\d(?=[ \r]|$)/.exec(last)?.[0]);
    if (Number.isNaN(code)) this.#waiting?.reject(new Error(`the server said "${cleanReply(last)}"`));
    else this.#waiting?.resolve({ code, text: cleanReply(lines.map((line) => line.trimEnd()).join(' ')) });
  }
}
