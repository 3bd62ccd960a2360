const maxLineBytes = 2000;
const maxMessageBytes = 10 * 1024 * 1024;
const endOfLine = Buffer.from('\r\n');

/** Where a conversation stands: which command may come next. */
type Phase = 'new' | 'greeted' | 'mail' | 'rcpt' | 'data' | 'ended';

/**
 * The server's side of one SMTP conversation (RFC 5321, with 8BITMIME, SMTPUTF8, SIZE and PIPELINING): bytes in,
 * replies out. Every recipient is accepted. Lines end with CRLF only: a lone LF is part of a line, so that no end of
 * data can be smuggled into a message.
 */
export class SmtpConversation {
  readonly greeting = '220 tend quickstart: a mail sink that delivers to nobody\r\n';
  readonly #store: (message: Buffer) => Promise<string>;
  #phase: Phase = 'new';
  #pending = Buffer.alloc(0);
  #message: Buffer[] = [];
  #messageBytes = 0;

  /** @param store keeps a whole message and returns the name it got. */
  constructor(store: (message: Buffer) => Promise<string>) {
    this.#store = store;
  }

  get hasEnded(): boolean {
    return this.#phase === 'ended';
  }

  /** Reads what came and returns the replies to it; a line that is not whole yet waits for the next call. */
  async take(chunk: Buffer): Promise<string> {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    let replies = '';
    let start = 0;
    while (!this.hasEnded) {
      const end = this.#pending.indexOf(endOfLine, start);
      if (end === -1) break;
      replies += await this.#takeLine(this.#pending.subarray(start, end));
      start = end + endOfLine.length;
    }
    this.#pending = this.#pending.subarray(start);
    if (this.#phase !== 'data' && this.#pending.length > maxLineBytes) {
      this.#phase = 'ended';
      replies += '500 the line is too long\r\n';
    }
    return replies;
  }

  async #takeLine(line: Buffer): Promise<string> {
    if (this.#phase === 'data') return await this.#takeData(line);
    const reply = this.#answer(line.toString('utf8').trim());
    return reply.endsWith('\r\n') ? reply : `${reply}\r\n`;
  }

  /** A line that begins with a dot was given one more by the client (RFC 5321 §4.5.2); a lone dot ends the message. */
  async #takeData(line: Buffer): Promise<string> {
    if (line.length === 1 && line[0] === 0x2e) return await this.#endMessage();
    const content = line[0] === 0x2e ? line.subarray(1) : line;
    this.#messageBytes += content.length + endOfLine.length;
    if (this.#messageBytes <= maxMessageBytes) this.#message.push(Buffer.from(content), endOfLine);
    return '';
  }

  async #endMessage(): Promise<string> {
    this.#phase = 'greeted';
    if (this.#messageBytes > maxMessageBytes) return '552 the message is too large\r\n';
    return `250 2.0.0 kept as ${await this.#store(Buffer.concat(this.#message))}\r\n`;
  }

  #answer(line: string): string {
    const command = line.toUpperCase();
    if (/^(EHLO|HELO)\b/.test(command)) return this.#greet(command);
    if (/^MAIL FROM:\s*</.test(command)) return this.#advance({ from: ['greeted'], to: 'mail' });
    if (/^RCPT TO:\s*<[^>]/.test(command)) return this.#advance({ from: ['mail', 'rcpt'], to: 'rcpt' });
    if (command === 'DATA') return this.#beginData();
    if (command === 'NOOP') return '250 2.0.0 ok';
    if (command === 'RSET') {
      if (this.#phase !== 'new') this.#phase = 'greeted';
      return '250 2.0.0 ok';
    }
    if (command === 'QUIT') {
      this.#phase = 'ended';
      return '221 2.0.0 bye';
    }
    return '502 5.5.1 this command is not known here';
  }

  #greet(command: string): string {
    this.#phase = 'greeted';
    if (command.startsWith('HELO')) return '250 tend';
    return ['250-tend', '250-8BITMIME', '250-SMTPUTF8', '250-PIPELINING', `250 SIZE ${maxMessageBytes}`].join(
      '\r\n',
    );
  }

  #advance(step: { from: readonly Phase[]; to: Phase }): string {
    if (!step.from.includes(this.#phase)) return '503 5.5.1 not now';
    this.#phase = step.to;
    return '250 2.1.0 ok';
  }

  #beginData(): string {
    if (this.#phase !== 'rcpt') return '503 5.5.1 not now';
    this.#phase = 'data';
    this.#message = [];
    this.#messageBytes = 0;
    return '354 end the message with a dot on a line of its own';
  }
}
